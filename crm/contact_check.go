package crm

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"chatcast/models"
)

// maxChecks is how many numbers one request may ask about.
const maxChecks = 100

// checkPace is how fast a line may ask its messenger about numbers: two full requests at
// once, then 30 numbers a minute. Messengers ban accounts that try out numbers.
var checkPace = pace{2 * maxChecks, 2 * time.Second}

// ContactCheck is what is known about one number that a request asked about.
type ContactCheck struct {
	Number string `json:"number"` // as it was asked
	Exists *bool  `json:"exists"` // whether it uses the messenger; null: see Error
	// ID is the id of its contact and its chat, which may be another number than the one
	// that was asked about; null: it does not use the messenger.
	ID           *ID        `json:"id"`
	Phone        *string    `json:"phone"`
	LID          *string    `json:"lid"`
	Username     *string    `json:"username"`     // of our contact
	Name         string     `json:"name"`         // the same; empty: not known
	BusinessName *string    `json:"businessName"` // that the messenger has verified
	Error        *SendError `json:"error"`        // why nothing is known
}

// Codes of the errors of a ContactCheck.
const (
	CheckInvalidNumber = "invalid_number"
	CheckNotAnswered   = "not_answered" // by the messenger
)

// CheckedNumber is what a messenger says about a number.
type CheckedNumber struct {
	Exists       bool
	Phone        string // digits: by which the messenger knows the person; empty when it does not exist
	LID          string // ...@lid; empty: none, or not known
	BusinessName string // empty: none
}

// NumberChecker is a Messenger that can be asked who uses it.
type NumberChecker interface {
	Messenger
	// CheckNumbers asks about numbers of digits, each once. It calls begin before it asks,
	// and not while the line is not connected; it asks nothing when begin fails. A number
	// without an entry in the answer was not answered.
	CheckNumbers(ctx context.Context, l Line, numbers []string, begin func() error) (map[string]CheckedNumber, error)
}

// CheckContacts tells for each number whether it uses the line's messenger, and which
// contact it is there. Answers are remembered for a while; beyond that the messenger is
// asked, for the account, so that it may be asked about a limited count only. Of our own
// contacts, the answer has what the actor may see.
func (s *Service) CheckContacts(ctx context.Context, a Actor, on Line, numbers []string) ([]ContactCheck, error) {
	l, connector, err := s.connectorFor(ctx, a, on, write)
	if err != nil {
		return nil, err
	}
	checker, ok := connector.(NumberChecker)
	if !ok || !IsWhatsApp(on.Messenger) {
		return nil, conflict("lines of this type have no account that could ask about numbers")
	}
	if len(numbers) == 0 || len(numbers) > maxChecks {
		return nil, Invalid("numbers", "must be 1 to %d phone numbers", maxChecks)
	}
	checks, digits := make([]ContactCheck, len(numbers)), make([]string, len(numbers))
	var ask []string
	for i, number := range numbers {
		checks[i].Number = number
		digits[i], checks[i].Error = numberOf(on.Messenger, number)
		if checks[i].Error == nil && !slices.Contains(ask, digits[i]) {
			ask = append(ask, digits[i])
		}
	}
	answers, err := s.askNumbers(ctx, a, on, checker, ask)
	if err != nil {
		return nil, err
	}
	for i, number := range digits {
		if checks[i].Error != nil {
			continue
		}
		if answer, ok := answers[number]; ok {
			checks[i].answered(on.Messenger, answer)
		} else {
			checks[i].Error = &SendError{Code: CheckNotAnswered, Message: "the messenger did not say whether it uses it; ask again later"}
		}
	}
	return checks, s.nameChecks(ctx, l, a, checks)
}

// numberOf returns the digits of a number, or why it is none.
func numberOf(messenger, text string) (digits string, problem *SendError) {
	if len(text) > maxID {
		text = text[:maxID+1] // refused below
	}
	name := phoneSigns.Replace(text)
	if !phoneForm.MatchString(name) {
		name = strings.TrimSpace(text)
	}
	key, err := ParseChatID("number", messenger, name)
	if err != nil || key.Phone == "" {
		return "", &SendError{Code: CheckInvalidNumber, Message: "must be a phone number of 5 to 15 digits with its country code"}
	}
	return key.Phone, nil
}

// answered takes over what the messenger says.
func (k *ContactCheck) answered(messenger string, n CheckedNumber) {
	k.Exists = &n.Exists
	if !n.Exists {
		return
	}
	id := MakeID(messenger, phoneChat(messenger, n.Phone))
	k.ID, k.Phone, k.LID, k.BusinessName = &id, &n.Phone, given(n.LID), given(n.BusinessName)
}

// askNumbers returns what is remembered of the numbers, and asks the messenger about the
// others. They count as asked before that, because the messenger may have seen a question
// whose answer is lost.
func (s *Service) askNumbers(ctx context.Context, a Actor, on Line, checker NumberChecker, numbers []string) (map[string]CheckedNumber, error) {
	answers, ask := s.numbers.known(s.Now(), on, numbers)
	if len(ask) == 0 {
		return answers, nil
	}
	found, err := checker.CheckNumbers(asking(ctx, a), on, ask, func() error { return s.countChecks(ctx, a, on, len(ask)) })
	if err != nil {
		return nil, err
	}
	var absent int64
	for _, number := range ask {
		answer, ok := found[number]
		if !ok {
			continue
		}
		answers[number] = answer
		s.numbers.put(s.Now(), on, number, answer)
		if !answer.Exists {
			absent++
		}
	}
	if absent == 0 {
		return answers, nil
	}
	return answers, s.changeWithRetry(context.WithoutCancel(ctx), func(c *change) error {
		return c.countDay(on, c.now.Unix(), models.LineDay{CheckedAbsent: absent})
	})
}

// CountChecks is the begin of CheckNumbers for a connector that acts for a caller in another
// process.
func (s *Service) CountChecks(ctx context.Context, on Line, n int) error {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return s.countChecks(ctx, a, on, n)
}

// countChecks counts n numbers that the messenger is going to be asked about, or refuses
// them when the line has asked too much.
func (s *Service) countChecks(ctx context.Context, a Actor, on Line, n int) error {
	if wait := s.checks.spend(s.Now(), checkPace, n, "check", lineTarget(on.LicenseID, on.Messenger).id); wait > 0 {
		return &Error{
			Code: CodeThrottled, RetryAfter: seconds(wait),
			Message: "the line asks the messenger about numbers too fast, which could get its account banned",
		}
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, write)
		if err != nil {
			return err
		}
		now := c.now.Unix()
		if err := c.countDay(on, now, models.LineDay{Checked: int64(n)}); err != nil { // locks the row
			return err
		}
		days, err := c.tx.LineDays(on.LicenseID, on.Messenger, models.Day(now))
		if err != nil {
			return err
		}
		if s.ChecksPerDay > 0 && days[0].Checked > int64(s.ChecksPerDay) {
			const day = 24 * 60 * 60
			return &Error{
				Code: CodeThrottled, RetryAfter: int(day - now%day),
				Message: "the line may ask the messenger about " + strconv.Itoa(s.ChecksPerDay) + " numbers a day, so that its account is not banned",
			}
		}
		return c.audit(l.companyID, audited{
			action: AuditContactsChecked, by: a.auditor(), on: lineTarget(on.LicenseID, on.Messenger),
			details: map[string]string{"numbers": strconv.Itoa(n)},
		})
	})
}

// nameChecks adds what our contacts have, as far as the actor may see them.
func (s *Service) nameChecks(ctx context.Context, l *line, a Actor, checks []ContactCheck) error {
	var ids []string
	for i := range checks {
		if k := &checks[i]; k.ID != nil {
			ids = append(ids, k.ID.String())
			if k.LID != nil {
				ids = append(ids, *k.LID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.Store.Read(ctx).Contacts(models.ContactFilter{
		ViewerID: a.UserID, LicenseID: l.licenseID, MessengerType: l.messenger, OnlyVisible: l.access.OnlyMine, IDs: ids, Limit: len(ids),
	})
	for i := range checks {
		for j := range rows {
			if k, row := &checks[i], &rows[j]; k.ID != nil && (row.ExternalID == k.ID.String() || k.LID != nil && row.LID != nil && *row.LID == *k.LID) {
				k.Name, k.Username = row.Name, row.Username
			}
		}
	}
	return err
}
