package content

import (
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// SubtypeVote is the subtype of a vote in a poll, whose type is crm.MessagePoll.
const SubtypeVote = "pollVote"

// pollContent is a question with answers, or an answer to one. The answer's options
// are encrypted; who has decrypted them fills them in.
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
	for _, o := range p.GetOptions() {
		poll.Options = append(poll.Options, o.GetOptionName())
	}
	return &Content{Type: crm.MessagePoll, Content: crm.Content{Poll: poll}, Context: p.GetContextInfo()}
}

// reactionContent is a sign on another message; without a sign it is taken off.
func reactionContent(m *waE2E.Message) *Content {
	r := m.GetReactionMessage()
	if r.GetKey().GetID() == "" {
		return nil
	}
	return &Content{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{
		MessageID: ID(r.GetKey().GetID()), Emoji: r.GetText(),
	}}}
}
