package whatsapp

import (
	"context"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

// What is sealed a second time, inside the message: with the secret of the message
// that it is about.

// opened opens what is sealed a second time, inside the message.
func (s *session) opened(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) *waE2E.Message {
	if m.GetEncReactionMessage() == nil {
		return m
	}
	inner := *e
	inner.Message = m
	r, err := cli.DecryptReaction(ctx, &inner)
	if err != nil {
		s.log.Info("a reaction could not be opened", "message", e.Info.ID, "error", err)
		return m
	}
	return &waE2E.Message{ReactionMessage: proto.CloneOf(r)}
}

// sealedEdit opens an edit that is sealed with the secret of the message that it
// changes; nil: it is none, or stays unknown. whatsmeow opens those of events; of
// others, which WhatsApp has a name for, it does not know the key.
func (s *session) sealedEdit(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) *waE2E.ProtocolMessage {
	sealed := m.GetSecretEncryptedMessage()
	if sealed == nil {
		return nil
	}
	inner := *e
	inner.Message = m
	said, err := cli.DecryptSecretEncryptedMessage(ctx, &inner)
	if err != nil {
		s.log.Info("a sealed edit could not be opened", "message", e.Info.ID, "error", err)
		return nil
	}
	said = unwrap(said)
	if edited := said.GetProtocolMessage().GetEditedMessage(); edited != nil {
		said = edited
	}
	return &waE2E.ProtocolMessage{Key: sealed.GetTargetMessageKey(), Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: said}
}

// fillVote opens a vote: what was chosen comes as sums of the poll's options.
func (s *session) fillVote(ctx context.Context, cli *whatsmeow.Client, e *events.Message, to *content) {
	v := to.Content.Vote
	if v == nil {
		return
	}
	inner := *e
	inner.Message = unwrap(e.Message)
	vote, err := cli.DecryptPollVote(ctx, &inner)
	if err != nil {
		s.log.Info("a vote could not be opened", "message", e.Info.ID, "error", err)
		to.Type, to.Subtype, to.Content = typeUnknown, subtypeVote, crm.Content{}
		return
	}
	if len(vote.GetSelectedOptions()) == 0 {
		return
	}
	ref, err := s.m.Rules.SentMessage(ctx, s.on, s.chat(ctx, cli, &e.Info).ID.String(), v.MessageID.String())
	if err != nil || ref.Content.Poll == nil {
		s.log.Info("the poll of a vote is not known", "message", e.Info.ID, "error", err)
		to.Type, to.Subtype, to.Content = typeUnknown, subtypeVote, crm.Content{}
		return
	}
	v.Options = chosen(ref.Content.Poll.Options, vote.GetSelectedOptions())
}

// chosen are the options whose sums were chosen.
func chosen(options []string, sums [][]byte) []string {
	found := []string{}
	for i, sum := range whatsmeow.HashPollOptions(options) {
		for _, s := range sums {
			if string(s) == string(sum) {
				found = append(found, options[i])
			}
		}
	}
	return found
}
