package crm

import (
	"errors"
	"slices"

	"chatcast/models"
)

// tallySpan is how many messages after a poll are looked through for votes. What is not counted whole
// is not told: a wrong result is worse than none.
const tallySpan = 20_000

// emitTally tells dialects how a poll stands after a vote.
func (c *change) emitTally(v renderer, chat *models.Chat, vote *models.Message, content *Content) error {
	if c.quiet || content.Vote == nil {
		return nil
	}
	heard, err := c.tx.HasDialectClients(chat.CompanyID, chat.LicenseID, chat.MessengerType)
	if err != nil || !heard {
		return err
	}
	poll, err := c.tx.MessageByExternal(chat.ID, content.Vote.MessageID.String())
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	asked, err := v.stored(poll)
	if err != nil || asked.Poll == nil {
		return err
	}
	rows, whole, err := c.tx.VotesSince(chat.ID, poll.Time, tallySpan)
	if err != nil || !whole {
		return err
	}
	item := TallyItem{ID: MakeID(v.line.Messenger, poll.ExternalID), Chat: chatCard(chat), Time: vote.Time}
	item.Chat.Image = v.image(item.Chat.Image)
	if poll.FromMe {
		item.Status = poll.Status
	}
	of, err := v.origin(poll)
	if err != nil {
		return err
	}
	item.Origin = *of
	if item.Options, err = v.tally(poll.ExternalID, asked.Poll.Options, rows); err != nil {
		return err
	}
	c.emitToDialects(chat.CompanyID, v.line, EventTally, item, poll.ID)
	return nil
}

// tally counts the last vote of each person in a poll. rows are votes in any poll, in their order.
func (v renderer) tally(poll string, options []string, rows []*models.Message) ([]TallyOption, error) {
	type ballot struct {
		Voter
		options []string
	}
	var last []ballot
	for _, row := range rows {
		m, err := v.stored(row)
		if err != nil {
			return nil, err
		}
		if m.Vote == nil || m.Vote.MessageID.String() != poll {
			continue
		}
		a, err := v.author(row)
		if err != nil {
			return nil, err
		}
		who := Voter{ID: a.ID, Phone: a.Phone, LID: a.LID, FromMe: row.FromMe}
		last = slices.DeleteFunc(last, func(b ballot) bool { return b.is(who) })
		last = append(last, ballot{who, m.Vote.Options})
	}
	counted := make([]TallyOption, len(options))
	for i, name := range options {
		counted[i] = TallyOption{Name: name, Voters: []Voter{}}
		for _, b := range last {
			if slices.Contains(b.options, name) {
				counted[i].Voters = append(counted[i].Voters, b.Voter)
			}
		}
	}
	return counted, nil
}

// is reports whether two voters are one person, who may be known by either of two ids.
func (a Voter) is(b Voter) bool {
	if a.FromMe || b.FromMe {
		return a.FromMe && b.FromMe
	}
	id, other := a.ID.String(), b.ID.String()
	return id == other || deref(a.LID) != "" && (deref(a.LID) == other || deref(a.LID) == deref(b.LID)) || deref(b.LID) != "" && deref(b.LID) == id
}
