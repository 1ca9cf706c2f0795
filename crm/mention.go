package crm

import "fmt"

// MaxMentions is how many people one message may mention. The largest groups have fewer
// members who can be notified.
const MaxMentions = 4096

// Mention is a person that a message mentions. The text contains @ and the digits of
// the person's phone number or LID.
type Mention struct {
	ID    ID      `json:"id"`            // as in fromUser
	Phone *string `json:"phone"`         // null: not known
	LID   *string `json:"lid,omitempty"` // WhatsApp's other id, when both are known
}

// checkMentions checks the mentions and returns each person once, in the form that
// messages show.
func checkMentions(messenger, field string, list []Mention) ([]Mention, error) {
	if len(list) > MaxMentions {
		return nil, Invalid(field, "must not be more than %d", MaxMentions)
	}
	var all []Mention
	var violations []error
	met := make(map[string]bool, len(list))
	for i, m := range list {
		m, err := m.check(messenger, fmt.Sprintf("%s[%d]", field, i))
		if err != nil {
			violations = append(violations, err)
		} else if !met[m.ID.text] {
			met[m.ID.text] = true
			all = append(all, m)
		}
	}
	return all, allViolations(violations...)
}

func (m Mention) check(messenger, field string) (Mention, error) {
	violations := allViolations(checkID(field, m.ID.text), checkOptional(field+".phone", m.Phone, 64))
	if m.LID != nil {
		violations = allViolations(violations, checkID(field+".lid", *m.LID))
	}
	if violations != nil || !IsWhatsApp(messenger) {
		m.ID = MakeID(messenger, m.ID.text)
		return m, violations
	}
	key, err := ParseChatID(field, messenger, m.ID.text)
	if err == nil && !key.private() {
		err = Invalid(field, "must be a person")
	}
	m.ID = MakeID(messenger, key.External)
	if key.Phone != "" {
		m.Phone = &key.Phone
	}
	return m, err
}
