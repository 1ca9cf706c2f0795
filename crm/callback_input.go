package crm

import (
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
