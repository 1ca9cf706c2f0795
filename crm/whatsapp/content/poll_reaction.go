package content

import (
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// SubtypeVote is the subtype of a vote in a poll, whose type is crm.MessagePoll.
const SubtypeVote = "pollVote"

// pollContent returns the content of a poll or a vote, or nil. The options of a vote are
// encrypted; the caller fills them in after decrypting them.
func pollContent(m *waE2E.Message) *Content {
	for _, p := range []*waE2E.PollCreationMessage{
		m.GetPollCreationMessage(), m.GetPollCreationMessageV2(), m.GetPollCreationMessageV3(), m.GetPollCreationMessageV5(),
	} {
		if p != nil {
			return newPoll(p)
		}
	}
	if v := m.GetPollUpdateMessage(); v.GetPollCreationMessageKey().GetID() != "" {
		return &Content{Type: crm.MessagePoll, Subtype: SubtypeVote, Content: crm.Content{
			Vote: &crm.PollVote{MessageID: ID(v.GetPollCreationMessageKey().GetID()), Options: []string{}},
		}}
	}
	return nil
}

func newPoll(p *waE2E.PollCreationMessage) *Content {
	poll := &crm.Poll{Question: p.GetName(), Multiple: p.GetSelectableOptionsCount() != 1}
	if poll.Multiple {
		poll.Most = int64(p.GetSelectableOptionsCount()) // fitPoll checks it
	}
	for _, o := range p.GetOptions() {
		poll.Options = append(poll.Options, o.GetOptionName())
	}
	return &Content{Type: crm.MessagePoll, Content: crm.Content{Poll: poll}, Context: p.GetContextInfo()}
}

// reactionContent returns the content of a reaction to another message, or nil. An empty
// emoji removes the reaction.
func reactionContent(m *waE2E.Message) *Content {
	r := m.GetReactionMessage()
	if r.GetKey().GetID() == "" {
		return nil
	}
	return &Content{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{
		MessageID: ID(r.GetKey().GetID()), Emoji: r.GetText(),
	}}}
}
