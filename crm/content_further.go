package crm

import "math"

// checkFurther checks the parts of a content that only some messengers have.
func (m *Content) checkFurther(at string) error {
	var errs []error
	if m.Choice != nil {
		errs = append(errs, checkText(at+"choice.id", m.Choice.ID, maxChoice))
	}
	if i := m.Invite; i != nil {
		errs = append(errs, checkID(at+"invite.groupId", i.GroupID), checkRequired(at+"invite.code", i.Code, maxInvite),
			checkText(at+"invite.name", i.Name, maxName), checkText(at+"invite.caption", i.Caption, MaxCaption))
		if i.Expires < 0 || i.Expires >= 1<<53 {
			errs = append(errs, Invalid(at+"invite.expires", "must be unix seconds"))
		}
	}
	if m.Addressing != "" && m.Addressing != AddressingPhone && m.Addressing != AddressingHidden {
		errs = append(errs, Invalid(at+"addressing", "must be pn or lid"))
	}
	if m.Expiration < 0 || m.Expiration > math.MaxInt32 {
		errs = append(errs, Invalid(at+"expiration", "must be a number of seconds"))
	}
	_, err := checkJSON(at+"original", m.Original, "{")
	return allViolations(append(errs, err)...)
}

// about returns the id of the message that a reaction or a vote is about, or "".
func (m *Content) about() string {
	switch {
	case m.Reaction != nil:
		return m.Reaction.MessageID.String()
	case m.Vote != nil:
		return m.Vote.MessageID.String()
	}
	return ""
}

// tell adds what is known of the message that a reaction or a vote is about.
func (m *Content) tell(of *MessageOrigin) {
	switch {
	case m.Reaction != nil:
		m.Reaction.Origin = of
	case m.Vote != nil:
		m.Vote.Origin = of
	}
}
