package crm

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"chatcast/models"
)

// CallbackURLs lists the callback URLs of a company, or of all companies of the actor when
// companyID is 0. Only owners, admins and keys that manage and read may see them; a key for one
// line sees those of that line.
func (s *Service) CallbackURLs(ctx context.Context, a Actor, companyID int64) ([]CallbackData, error) {
	tx := s.Store.Read(ctx)
	k, err := callbackKey(tx, a, companyID)
	if err != nil {
		return nil, err
	}
	var of []int64
	if k != nil {
		of = []int64{k.CompanyID}
	} else if of, err = callbackCompanies(tx, a, companyID); err != nil {
		return nil, err
	}
	rows, err := tx.CallbackURLs(of)
	if err != nil {
		return nil, err
	}
	if k != nil {
		rows = slices.DeleteFunc(rows, func(row models.CallbackURL) bool { return !callbackOf(k, &row) })
	}
	return callbackData(rows)
}

// callbackOf reports whether a URL is of the lines that a key is for.
func callbackOf(k *models.APIKey, row *models.CallbackURL) bool {
	return k.LicenseID == nil || row.LicenseID != nil && k.Of(*row.LicenseID, *row.MessengerType)
}

// callbackCompanies returns the companies whose callback URLs a person may manage.
func callbackCompanies(tx *models.Tx, a Actor, companyID int64) (of []int64, err error) {
	if companyID != 0 {
		e, err := ownerOrAdmin(tx, a, companyID, "manage callback URLs")
		if err != nil {
			return nil, err
		}
		return []int64{e.CompanyID}, nil
	}
	all, err := tx.Employments(a.UserID)
	for _, e := range all {
		if e.Role == models.RoleOwner || e.Role == models.RoleAdmin {
			of = append(of, e.CompanyID)
		}
	}
	if err == nil && len(of) == 0 {
		err = denied("only owners and admins may manage callback URLs")
	}
	return of, err
}

// callbackFor returns a URL for who may manage it.
func (s *Service) callbackFor(ctx context.Context, a Actor, id int64) (*models.CallbackURL, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.CallbackURL(id)
	if err != nil {
		return nil, orNotFound(err, "callback URL")
	}
	return row, mayManageCallback(tx, a, row)
}

// CallbackDelivery is an entry of the log of a callback URL: an attempt, or a gap.
type CallbackDelivery struct {
	ID       int64  `json:"id"`
	Kind     string `json:"kind"`    // event, redelivery, dryRun, lost, givenUp or live
	EventID  int64  `json:"eventId"` // of lost: the first one
	ToID     int64  `json:"toEventId"`
	Event    string `json:"event"` // its name; empty: of lost
	Attempt  int64  `json:"attempt"`
	Status   *int64 `json:"status"` // of the answer; null: none came
	OK       bool   `json:"delivered"`
	Reason   string `json:"reason"` // why it failed, in one word
	Error    string `json:"error"`
	Duration int64  `json:"duration"` // milliseconds
	Answer   string `json:"answer"`   // its first bytes
	Time     int64  `json:"time"`     // unix milliseconds
}

// CallbackLogQuery asks for one page of the log of a callback URL, newest first.
type CallbackLogQuery struct {
	PageQuery
	Failed  *bool // only what was not delivered, or only what was; nil: both
	GivenUp bool  // only what was given up
}

// CallbackDeliveries lists the log of a callback URL.
func (s *Service) CallbackDeliveries(ctx context.Context, a Actor, id int64, q CallbackLogQuery) (page Page[CallbackDelivery], err error) {
	row, err := s.callbackFor(ctx, a, id)
	if err != nil {
		return page, err
	}
	start, limit, err := q.start("deliveries", 1)
	if err != nil {
		return page, err
	}
	find := models.CallbackLogQuery{CallbackID: row.ID, Failed: q.Failed, GivenUp: q.GivenUp}
	if start != nil {
		find.Before = start[0]
	}
	rows, err := s.Store.Read(ctx).CallbackDeliveries(find, limit+1)
	if err != nil {
		return page, err
	}
	return pageOf("deliveries", rows, limit, func(r models.CallbackDelivery) []int64 { return []int64{r.ID} }, callbackDelivery), nil
}

func callbackDelivery(r models.CallbackDelivery) CallbackDelivery {
	d := CallbackDelivery{
		ID: r.ID, Kind: r.Kind, EventID: r.Seq, ToID: r.UntilSeq, Event: r.Name, Attempt: r.Attempt, OK: r.Reason == "",
		Reason: r.Reason, Error: r.Error, Duration: r.DurationMS, Answer: r.Answer, Time: r.AtMS,
	}
	if r.Status != 0 {
		d.Status = &r.Status
	}
	return d
}

// RedeliverCallback posts one event once more, at once and whatever waits, and returns how
// that went. The event must be one that the URL selects. Both are read when its turn has come.
func (s *Service) RedeliverCallback(ctx context.Context, a Actor, id, eventID int64) (d CallbackDelivery, err error) {
	row, err := s.callbackFor(ctx, a, id)
	if err != nil {
		return d, err
	}
	var ev *CallbackEvent
	var to CallbackTarget
	went, err := s.Callbacks.Post(ctx, row.CompanyID, func() (_ CallbackTarget, _ CallbackEvent, err error) {
		if row, err = s.callbackFor(ctx, a, id); err != nil {
			return to, CallbackEvent{}, err
		}
		if ev, err = callbackEvent(s.Store.Read(ctx), row, eventID); err != nil {
			return to, CallbackEvent{}, err
		}
		to, err = targetOf(row, s.Now())
		return to, *ev, err
	})
	if err != nil {
		return d, err
	}
	err = s.change(context.WithoutCancel(ctx), func(c *change) error {
		rows, err := c.attemptRows(models.CallbackRedelivery, []CallbackReported{{Event: *ev, Nth: 1, Attempt: went}})
		if err != nil {
			return err
		}
		if err := c.tx.LogCallback(row.ID, rows); err != nil {
			return err
		}
		d = callbackDelivery(rows[0])
		details := map[string]string{"eventId": strconv.FormatInt(eventID, 10), "delivered": strconv.FormatBool(went.Reason == "")}
		return c.audit(row.CompanyID, audited{action: AuditCallbackRedelivered, by: a.auditor(), on: callbackTarget(row), details: details})
	})
	return d, s.unnoted(ctx, err, a.auditor(), to.URL, went.Error)
}

// attemptRow returns the entry of the log for an attempt.
func attemptRow(kind string, of CallbackReported) models.CallbackDelivery {
	ev, went := of.Event, of.Attempt
	if of.GivenUp {
		kind = models.CallbackGivenUp
	}
	return models.CallbackDelivery{
		Kind: kind, Seq: ev.ID, UntilSeq: ev.ID, Part: of.Part, Name: cmp.Or(of.Name, ev.Name), Attempt: of.Nth, Status: int64(went.Status), Reason: went.Reason, Error: went.Error,
		DurationMS: went.Duration.Milliseconds(), Answer: went.Answer, AtMS: went.Began.UnixMilli(),
	}
}

func (s *Service) forgetCallbackLogs(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, func(c *change) error {
		n, err = c.tx.ForgetCallbackLog(time.Now().Add(-CallbackLogAge).UnixMilli(), sweepBatch)
		return err
	})
	return n, err
}
