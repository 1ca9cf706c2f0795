package evolution

import (
	"errors"
	"net/http"
	"strings"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// address is where a number leads.
type address struct {
	jid  string // in Evolution's words
	chat string // in the words of the CRM
	of   string // the number as it was given
}

func addressOf(number, jid string) address { return address{jid: jid, chat: shape.ID(jid), of: number} }

// group reports whether it is a group.
func (a address) group() bool { return shape.IsGroup(a.jid) }

// notThere is an element of the answer to a number that does not use WhatsApp.
type notThere struct {
	JID    string `json:"jid"`
	Exists bool   `json:"exists"` // false
	Number string `json:"number"`
}

// jidOf returns the JID that a number stands for by its form, and the digits that the messenger
// has to be asked about; none: it need not be. ok is false for what is neither.
func jidOf(number string) (jid string, forms []string, ok bool) {
	text := strings.TrimSpace(number)
	if user, server, has := strings.Cut(text, "@"); has {
		user, _, _ = strings.Cut(user, ":") // a device
		switch server {
		case "c.us":
			server = "s.whatsapp.net"
		case "s.whatsapp.net", "g.us", "lid", "broadcast", "newsletter":
		default:
			return "", nil, false
		}
		if user == "" || len(user) > 64 {
			return "", nil, false
		}
		return user + "@" + server, nil, true
	}
	text = numberSigns.Replace(text)
	if strings.Contains(text, "-") && len(text) >= 24 {
		return onlyDigits(text, true) + "@g.us", nil, true
	}
	digits := onlyDigits(text, false)
	switch {
	case digits == "" || len(digits) > 40:
		return "", nil, false
	case len(digits) >= 18:
		return digits + "@g.us", nil, true
	}
	return "", numberForms(digits), true
}

var numberSigns = strings.NewReplacer("+", "", "(", "", ")", "", " ", "")

func onlyDigits(text string, dash bool) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || dash && r == '-' {
			return r
		}
		return -1
	}, text)
}

// numberForms returns the numbers that a person with this number may have at the messenger: those
// of Brazil, Mexico and Argentina are written with and without a digit. The first one is the guess
// for when nobody can be asked.
func numberForms(digits string) []string {
	if len(digits) < 11 {
		return []string{digits}
	}
	country, rest := digits[:2], digits[2:]
	switch {
	case (country == "52" || country == "54") && len(digits) == 13:
		return []string{country + rest[1:], digits}
	case country == "52" && len(digits) == 12:
		return []string{digits, country + "1" + rest}
	case country == "54" && len(digits) == 12:
		return []string{digits, country + "9" + rest}
	case country == "55" && len(digits) == 13 && rest[2] == '9':
		short := country + rest[:2] + rest[3:]
		if rest[:2] >= "31" && rest[3] >= '7' {
			return []string{short, digits}
		}
		return []string{digits, short}
	case country == "55" && len(digits) == 12:
		return []string{digits, country + rest[:2] + "9" + rest[2:]}
	}
	return []string{digits}
}

// errNumber refuses what is no number.
func errNumber() error {
	return &refusal{status: http.StatusBadRequest, message: [][]string{{textNumber}}}
}

const textNumber = "The numbers must be strings/only numeric"

// address finds the chat of a number. People whom the line does not know yet are asked for at the
// messenger, in all forms that their number has; one that does not use it is refused. When the
// messenger cannot be asked, the number is taken as it probably is.
func (q *request) address(number string) (address, error) {
	jid, forms, ok := jidOf(number)
	if !ok {
		return address{}, errNumber()
	}
	if len(forms) == 0 {
		return addressOf(number, jid), nil
	}
	known, err := q.e.CRM.KnownNumber(q.ctx, q.actor, q.line(), forms)
	if err != nil {
		return address{}, err
	}
	if known != "" {
		return addressOf(number, shape.JID(known)), nil
	}
	checks, err := q.e.CRM.CheckContacts(q.ctx, q.actor, q.line(), forms)
	var of *crm.Error
	if errors.As(err, &of) && (of.Code == crm.CodeThrottled || of.Code == crm.CodeUnavailable || of.Code == crm.CodeConflict || of.Code == crm.CodeDenied) {
		return addressOf(number, forms[0]+"@s.whatsapp.net"), nil
	}
	if err != nil {
		return address{}, err
	}
	unsure := false
	for _, k := range checks {
		if k.Exists != nil && *k.Exists && k.ID != nil {
			return addressOf(number, shape.JID(k.ID.String())), nil
		}
		unsure = unsure || k.Exists == nil && (k.Error == nil || k.Error.Code != crm.CheckInvalidNumber)
	}
	if unsure {
		return addressOf(number, forms[0]+"@s.whatsapp.net"), nil
	}
	return address{}, &refusal{status: http.StatusBadRequest, message: []notThere{{JID: forms[0] + "@s.whatsapp.net", Number: number}}}
}
