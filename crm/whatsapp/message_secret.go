package whatsapp

import (
	"context"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// This file decrypts reactions, edits and votes that are encrypted a second time, inside
// the message, with the secret of the message that they refer to.

// decryptReaction decrypts a reaction that is encrypted inside the message. Any other
// message is returned as it is.
func (s *session) decryptReaction(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) *waE2E.Message {
	if m.GetEncReactionMessage() == nil {
		return m
	}
	inner := *e
	inner.Message = m
	r, err := cli.DecryptReaction(ctx, &inner)
	if err != nil {
		s.log.Info("a reaction could not be decrypted", "message", e.Info.ID, "error", err)
		return m
	}
	return &waE2E.Message{ReactionMessage: proto.CloneOf(r)}
}

// decryptEdit decrypts an edit that is encrypted with the secret of the message that it
// changes. It returns nil when m is not such an edit, when the key is not known, or when
// whatsmeow does not support this kind of edit.
func (s *session) decryptEdit(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) *waE2E.ProtocolMessage {
	encrypted := m.GetSecretEncryptedMessage()
	if encrypted == nil {
		return nil
	}
	inner := *e
	inner.Message = m
	edit, err := cli.DecryptSecretEncryptedMessage(ctx, &inner)
	if err != nil {
		s.log.Info("an encrypted edit could not be decrypted", "message", e.Info.ID, "error", err)
		return nil
	}
	edit = content.Unwrap(edit)
	if edited := edit.GetProtocolMessage().GetEditedMessage(); edited != nil {
		edit = edited
	}
	return &waE2E.ProtocolMessage{Key: encrypted.GetTargetMessageKey(), Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: edit}
}

// decryptVote decrypts a vote. Chosen options arrive as hashes of the poll's options.
func (s *session) decryptVote(ctx context.Context, cli *whatsmeow.Client, e *events.Message, to *content.Content) {
	v := to.Content.Vote
	if v == nil {
		return
	}
	inner := *e
	inner.Message = content.Unwrap(e.Message)
	vote, err := cli.DecryptPollVote(ctx, &inner)
	if err != nil {
		s.log.Info("a vote could not be decrypted", "message", e.Info.ID, "error", err)
		to.Type, to.Subtype, to.Content = content.TypeUnknown, content.SubtypeVote, crm.Content{}
		return
	}
	if len(vote.GetSelectedOptions()) == 0 {
		return
	}
	ref, err := s.m.rules.SentMessage(ctx, s.on, s.chat(ctx, cli, &e.Info).ID.String(), v.MessageID.String())
	if err != nil || ref.Content.Poll == nil {
		s.log.Info("the poll of a vote is not known", "message", e.Info.ID, "error", err)
		to.Type, to.Subtype, to.Content = content.TypeUnknown, content.SubtypeVote, crm.Content{}
		return
	}
	v.Options = chosen(ref.Content.Poll.Options, vote.GetSelectedOptions())
}

// chosen returns the options whose hashes are in sums.
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
