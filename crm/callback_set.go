package crm

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// CallbackInput describes a callback URL. What is absent is empty.
type CallbackInput struct {
	URL    string    `json:"url"`
	Events []string  `json:"events"` // names of events; empty: all
	Lines  []LineRef `json:"lines"`  // only for a company's; empty: all
	Chats  []string  `json:"chats"`  // only for a line's: ids in any spelling; empty: all
	// Format is in whose words the events are, and Events are named: empty, chatapp or, for a
	// company's, evolution. Only the latter has options.
	Format string `json:"format"`
	EndpointOptions
}

// notOfLines are the events that no line's channel carries.
var notOfLines = []string{EventEmployeeStatus, EventEmployeeWorkday, EventQuickResponse, EventQuickResponseList, EventChatPresence, EventQR}

// notOfCompanies are the events that neither a line's nor a company's channel carries.
var notOfCompanies = []string{EventQuickResponse, EventQuickResponseList, EventChatPresence, EventQR}

// callbackOwner is whose events a URL gets.
type callbackOwner struct {
	companyID int64
	line      *Line  // nil: of the company
	format    string // as rows have it
}

// format returns the format as rows have it.
func (in CallbackInput) format() string {
	if in.Format == FormatChatApp {
		return ""
	}
	return in.Format
}

// checkFormat checks the format and its options.
func (in CallbackInput) checkFormat(o callbackOwner) error {
	var format, options error
	switch {
	case in.format() == "" && (len(in.Headers) > 0 || in.ByEvents || in.Base64):
		options = Invalid("format", "chatapp has no headers, byEvents and base64")
	case in.format() != "" && in.Format != FormatEvolution:
		format = Invalid("format", "must be chatapp or evolution")
	case in.format() != "" && o.line != nil:
		format = Invalid("format", "must be chatapp: the webhook of an instance is set in the words of its dialect")
	}
	return allViolations(format, options, checkHeaders("headers", in.Headers))
}

// check checks in for the owner, without the database.
func (in CallbackInput) check(o callbackOwner) error {
	violations := []error{in.checkFormat(o)}
	if message := apps.CheckWebhookURL(in.URL); message != "" {
		violations = append(violations, Invalid("url", "%s", message))
	} else {
		violations = append(violations, checkText("url", in.URL, apps.MaxWebhookURL))
	}
	without := notOfCompanies
	if o.line != nil {
		without = notOfLines
	}
	names := slices.DeleteFunc(EventNames(), func(name string) bool { return slices.Contains(without, name) })
	for i, name := range in.Events {
		if in.format() != "" {
			break // see CallbackPoster.CheckEvents
		}
		if !slices.Contains(names, name) {
			violations = append(violations, Invalid(fmt.Sprintf("events[%d]", i), "must be one of %s", strings.Join(names, ", ")))
		} else if len(in.Chats) > 0 && name == EventMessengerStatus {
			violations = append(violations, Invalid(fmt.Sprintf("events[%d]", i), "is not about chats"))
		}
	}
	if o.line != nil && len(in.Lines) > 0 {
		violations = append(violations, Invalid("lines", "is for the URL of a company"))
	}
	if o.line == nil && len(in.Chats) > 0 {
		violations = append(violations, Invalid("chats", "is for the URL of one line"))
	}
	if len(in.Lines) > MaxCallbackLines {
		violations = append(violations, Invalid("lines", "must be at most %d", MaxCallbackLines))
	}
	if len(in.Chats) > MaxCallbackChats {
		violations = append(violations, Invalid("chats", "must be at most %d", MaxCallbackChats))
	}
	return allViolations(violations...)
}

// filter checks the lines and chats of in, and returns what in selects.
func (in CallbackInput) filter(tx *models.Tx, o callbackOwner) (f callbackFilter, err error) {
	f = callbackFilter{events: unique(in.Events), lines: unique(in.Lines), chats: []string{}, former: []formerChat{}}
	for i, l := range in.Lines {
		lic, err := tx.License(l.LicenseID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return f, err
		}
		if err != nil || lic.CompanyID != o.companyID {
			return f, Invalid(fmt.Sprintf("lines[%d]", i), "is no line of the company")
		}
		all, err := tx.MessengersOf([]int64{l.LicenseID})
		if err != nil {
			return f, err
		}
		if !slices.ContainsFunc(all, func(m models.Messenger) bool { return m.Type == l.MessengerType }) {
			return f, Invalid(fmt.Sprintf("lines[%d]", i), "is no line of the company")
		}
	}
	var ids []string
	for i, id := range in.Chats {
		key, err := ParseChatID(fmt.Sprintf("chats[%d]", i), o.line.Messenger, id)
		if err != nil {
			return f, err
		}
		ids = append(ids, key.External)
	}
	if len(ids) == 0 {
		return f, nil
	}
	err = f.selectChats(tx, o, ids)
	return f, err
}

// callbackSecret returns a new secret as Standard Webhooks writes them.
func callbackSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// mayCall authorises the actor to manage the callback URL of a line, or of a company.
func (s *Service) mayCall(tx *models.Tx, a Actor, on Line, companyID int64) (callbackOwner, error) {
	if on == (Line{}) {
		k, err := callbackKey(tx, a, companyID)
		if err == nil && k != nil && k.LicenseID != nil {
			err = denied("this key is for one line, and not for the lines of the company")
		}
		if err != nil {
			return callbackOwner{}, err
		}
		if k != nil {
			return callbackOwner{companyID: k.CompanyID}, nil
		}
		e, err := ownerOrAdmin(tx, a, companyID, "manage callback URLs")
		if err != nil {
			return callbackOwner{}, err
		}
		return callbackOwner{companyID: e.CompanyID}, nil
	}
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, hooks)
	if err != nil {
		return callbackOwner{}, err
	}
	return callbackOwner{companyID: l.companyID, line: &on}, nil
}

// SetLineCallback sets the URL that gets the events of a line. Only owners and admins may.
// The URL must answer 200 to an empty POST. Events of before are not sent to a new one;
// with another URL, what waits goes there. A suspended one goes on.
func (s *Service) SetLineCallback(ctx context.Context, a Actor, on Line, in CallbackInput) (CallbackData, error) {
	return s.setCallback(ctx, a, on, 0, in)
}

// SetCompanyCallback is SetLineCallback for all lines of a company, and its own events.
func (s *Service) SetCompanyCallback(ctx context.Context, a Actor, companyID int64, in CallbackInput) (CallbackData, error) {
	return s.setCallback(ctx, a, Line{}, companyID, in)
}

func (s *Service) setCallback(ctx context.Context, a Actor, on Line, companyID int64, in CallbackInput) (data CallbackData, err error) {
	owner, err := s.mayCall(s.Store.Read(ctx), a, on, companyID)
	if err != nil {
		return data, err
	}
	if err := in.check(owner); err != nil {
		return data, err
	}
	if in.format() != "" {
		if err := s.Callbacks.CheckEvents(in.Format, "events", in.Events); err != nil {
			return data, err
		}
	}
	if err := s.Callbacks.CheckURL(ctx, owner.companyID, in.URL); err != nil {
		return data, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		owner, err := s.mayCall(c.tx, a, on, companyID)
		if err != nil {
			return err
		}
		owner.format = in.format()
		f, err := in.filter(c.tx, owner)
		if err != nil {
			return err
		}
		row, err := c.lockCallback(owner)
		if errors.Is(err, models.ErrNotFound) {
			row, err = c.newCallback(owner)
		}
		if err != nil {
			return err
		}
		made, before, asked := row.ID == 0, callbackFacts(row), requestsOf(row)
		was, err := filterOf(row)
		if err != nil {
			return err
		}
		f.keepFormer(was)
		row.URL = in.URL
		row.Generation++
		row.CallbackProgress = restarted(row.CallbackProgress)
		if err := f.put(row); err != nil {
			return err
		}
		if row.Format != "" {
			if err := putEndpoint(row, unique(in.Events), in.EndpointOptions); err != nil {
				return err
			}
		}
		if requestsOf(row) != asked {
			row.CursorPart = 0
		}
		if err := c.tx.PutCallbackURL(row); err != nil {
			return err
		}
		if data, err = oneCallback(c.tx, row); err != nil {
			return err
		}
		action, details := AuditCallbackChanged, differences(before, callbackFacts(row))
		if made {
			action, details, data.Secret = AuditCallbackMade, callbackFacts(row), row.Secret
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{action: action, by: a.auditor(), on: callbackTarget(row), details: details})
	})
	return data, err
}

// restarted returns p without what failed: the next attempt is made at once.
func restarted(p models.CallbackProgress) models.CallbackProgress {
	return models.CallbackProgress{CursorSeq: p.CursorSeq, CursorPart: p.CursorPart, LostFrom: p.LostFrom, LostTo: p.LostTo, LostAt: p.LostAt, GivenUp: p.GivenUp}
}

func (c *change) lockCallback(o callbackOwner) (*models.CallbackURL, error) {
	if o.line == nil {
		return c.tx.LockCompanyCallback(o.companyID, o.format)
	}
	return c.tx.LockLineCallback(o.line.LicenseID, o.line.Messenger)
}

// newCallback returns a row that gets the events from now on.
func (c *change) newCallback(o callbackOwner) (*models.CallbackURL, error) {
	bounds, err := c.tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	row := &models.CallbackURL{CompanyID: o.companyID, Format: o.format, Enabled: true, Secret: callbackSecret(), CreatedAt: c.now.Unix(), Events: "[]", Lines: "[]", Chats: "[]", FormerChats: "[]"}
	row.CursorSeq = bounds.LastSeq
	if o.line != nil {
		row.LicenseID, row.MessengerType = &o.line.LicenseID, &o.line.Messenger
	}
	return row, nil
}

// callbackFacts returns a URL for the audit log: of the URL the host, because the rest may
// be secret.
func callbackFacts(row *models.CallbackURL) map[string]string {
	facts := map[string]string{"host": callbackHost(row.URL), "events": row.Events}
	if row.LicenseID == nil {
		facts["lines"] = row.Lines
	} else {
		facts["line"], facts["chats"] = lineTarget(*row.LicenseID, *row.MessengerType).id, row.Chats
	}
	return facts
}

// DeleteLineCallback removes the callback URL of a line. Nothing more is sent to it.
func (s *Service) DeleteLineCallback(ctx context.Context, a Actor, on Line) error {
	return s.deleteCallback(ctx, a, on, 0, "")
}

// DeleteCompanyCallback removes the callback URL of a company in a format.
func (s *Service) DeleteCompanyCallback(ctx context.Context, a Actor, companyID int64, format string) error {
	return s.deleteCallback(ctx, a, Line{}, companyID, format)
}

func (s *Service) deleteCallback(ctx context.Context, a Actor, on Line, companyID int64, format string) error {
	return s.change(ctx, func(c *change) error {
		owner, err := s.mayCall(c.tx, a, on, companyID)
		if err != nil {
			return err
		}
		owner.format = CallbackInput{Format: format}.format()
		row, err := c.lockCallback(owner)
		if err != nil {
			return orNotFound(err, "callback URL")
		}
		if err := c.tx.DeleteCallbackURL(row.ID); err != nil {
			return err
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{action: AuditCallbackRemoved, by: a.auditor(), on: callbackTarget(row), details: callbackFacts(row)})
	})
}
