package evolution

import (
	"encoding/json"
	"strconv"
	"strings"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// raw is JSON that stands in an answer as it is.
func raw(b []byte) json.RawMessage { return b }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

type numberRow struct {
	JID    string `json:"jid"`
	Exists bool   `json:"exists"`
	Number string `json:"number"`
	Name   string `json:"name,omitempty"`
	// LID is the person's hidden id beside the number, or, as in Evolution, the word lid when the JID
	// is one itself.
	LID string `json:"lid,omitempty"`
}

// hidden adds the hidden id, nil when it is not known.
func (r *numberRow) hidden(lid *string) {
	switch {
	case strings.HasSuffix(r.JID, "@lid"):
		r.LID = "lid"
	case lid != nil:
		r.LID = *lid
	}
}

// whatsappNumbers tells for each number whether it uses WhatsApp. The messenger is asked about
// all forms of all numbers that the line does not know, as far as one request may.
func whatsappNumbers(q *request) (answer, error) {
	numbers := texts(q.body, "numbers")
	rows, forms := make([]numberRow, len(numbers)), make([][]string, len(numbers))
	var ask []string
	for i, number := range numbers {
		rows[i].Number = number
		jid, of, valid := jidOf(number)
		switch {
		case !valid:
			continue
		case len(of) == 0:
			rows[i].JID, rows[i].Exists = jid, true
			rows[i].hidden(nil)
			if chat, err := q.chatNamed(jid); err != nil {
				return answer{}, err
			} else if chat != nil {
				rows[i].Name = chat.Name
			}
			continue
		}
		rows[i].JID, forms[i] = of[0]+"@s.whatsapp.net", of
		known, err := q.e.CRM.KnownNumber(q.ctx, q.actor, q.line(), of)
		if err != nil {
			return answer{}, err
		}
		if known == "" {
			ask = append(ask, of...)
			continue
		}
		if err := q.nameNumber(&rows[i], known); err != nil {
			return answer{}, err
		}
		forms[i] = nil
	}
	found := map[string]crm.ContactCheck{}
	for len(ask) > 0 {
		n := min(len(ask), maxNumbers)
		checks, err := q.e.CRM.CheckContacts(q.ctx, q.actor, q.line(), ask[:n])
		if err != nil {
			return answer{}, err
		}
		for _, k := range checks {
			found[k.Number] = k
		}
		ask = ask[n:]
	}
	for i := range rows {
		for _, form := range forms[i] {
			k := found[form]
			if k.Exists == nil || !*k.Exists || k.ID == nil {
				continue
			}
			rows[i].JID, rows[i].Exists, rows[i].Name = shape.JID(k.ID.String()), true, k.Name
			rows[i].hidden(k.LID)
			break
		}
	}
	return ok(rows), nil
}

// nameNumber fills the row of a person whom the line knows.
func (q *request) nameNumber(row *numberRow, id string) error {
	row.JID, row.Exists = shape.JID(id), true
	k, err := q.e.CRM.LineContact(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: id})
	switch {
	case err == nil:
		row.Name = k.Name
		row.hidden(k.LID)
	case hasCode(err, crm.CodeNotFound):
		err = nil
	}
	return err
}
