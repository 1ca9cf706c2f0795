package whatsapp

import (
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

const subtypeVote = "pollVote"

// pollContent is a question with answers, or an answer to one. The answer's options
// are encrypted; who has decrypted them fills them in.
func pollContent(m *waE2E.Message) *content {
	for _, p := range []*waE2E.PollCreationMessage{
		m.GetPollCreationMessage(), m.GetPollCreationMessageV2(), m.GetPollCreationMessageV3(), m.GetPollCreationMessageV5(),
	} {
		if p != nil {
			return newPoll(p)
		}
	}
	if v := m.GetPollUpdateMessage(); v.GetPollCreationMessageKey().GetID() != "" {
		return &content{Type: crm.MessagePoll, Subtype: subtypeVote, Content: crm.Content{
			Vote: &crm.PollVote{MessageID: waID(v.GetPollCreationMessageKey().GetID()), Options: []string{}},
		}}
	}
	return nil
}

func newPoll(p *waE2E.PollCreationMessage) *content {
	poll := &crm.Poll{Question: p.GetName(), Multiple: p.GetSelectableOptionsCount() != 1}
	for _, o := range p.GetOptions() {
		poll.Options = append(poll.Options, o.GetOptionName())
	}
	return &content{Type: crm.MessagePoll, Content: crm.Content{Poll: poll}, Context: p.GetContextInfo()}
}

// reactionContent is a sign on another message; without a sign it is taken off.
func reactionContent(m *waE2E.Message) *content {
	r := m.GetReactionMessage()
	if r.GetKey().GetID() == "" {
		return nil
	}
	return &content{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{
		MessageID: waID(r.GetKey().GetID()), Emoji: r.GetText(),
	}}}
}
