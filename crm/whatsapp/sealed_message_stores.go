package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/models/seal"
)

// PutMessageSecrets implements store.MsgSecretStore.
func (s *sealedStore) PutMessageSecrets(ctx context.Context, inserts []store.MessageSecretInsert) error {
	sealed := make([]store.MessageSecretInsert, len(inserts))
	for i, in := range inserts {
		in.Secret = s.seal(messageSecret, in.Secret, in.Chat.ToNonAD().String(), in.Sender.ToNonAD().String(), in.ID)
		sealed[i] = in
	}
	return s.inner.PutMessageSecrets(ctx, sealed)
}

// PutMessageSecret implements store.MsgSecretStore.
func (s *sealedStore) PutMessageSecret(ctx context.Context, chat, sender types.JID, id types.MessageID, secret []byte) error {
	return s.inner.PutMessageSecret(ctx, chat, sender, id, s.seal(messageSecret, secret, chat.ToNonAD().String(), sender.ToNonAD().String(), id))
}

// GetMessageSecret implements store.MsgSecretStore. whatsmeow also finds the row under
// the other id of the chat, and does not tell which one it found.
func (s *sealedStore) GetMessageSecret(ctx context.Context, chat, sender types.JID, id types.MessageID) ([]byte, types.JID, error) {
	sealed, by, err := s.inner.GetMessageSecret(ctx, chat, sender, id)
	if err != nil || len(sealed) == 0 {
		return nil, by, err
	}
	secret, err := s.eitherID(ctx, chat, func(chat string) ([]byte, error) {
		return s.open(messageSecret, sealed, chat, by.ToNonAD().String(), id)
	})
	return secret, by, err
}

// PutPrivacyTokens implements store.PrivacyTokenStore.
func (s *sealedStore) PutPrivacyTokens(ctx context.Context, tokens ...store.PrivacyToken) error {
	sealed := make([]store.PrivacyToken, len(tokens))
	for i, t := range tokens {
		t.Token = s.seal(privacyToken, t.Token, t.User.ToNonAD().String())
		sealed[i] = t
	}
	return s.inner.PutPrivacyTokens(ctx, sealed...)
}

// GetPrivacyToken implements store.PrivacyTokenStore. Like GetMessageSecret it may find
// the row under the other id of the user.
func (s *sealedStore) GetPrivacyToken(ctx context.Context, user types.JID) (*store.PrivacyToken, error) {
	t, err := s.inner.GetPrivacyToken(ctx, user)
	if t == nil || err != nil {
		return nil, err
	}
	t.Token, err = s.eitherID(ctx, user, func(user string) ([]byte, error) { return s.open(privacyToken, t.Token, user) })
	if err != nil {
		return nil, err
	}
	return t, nil
}

// DeleteExpiredPrivacyTokens implements store.PrivacyTokenStore.
func (s *sealedStore) DeleteExpiredPrivacyTokens(ctx context.Context, before time.Time) (int64, error) {
	return s.inner.DeleteExpiredPrivacyTokens(ctx, before)
}

// PutNCTSalt implements store.NCTSaltStore.
func (s *sealedStore) PutNCTSalt(ctx context.Context, salt []byte) error {
	return s.inner.PutNCTSalt(ctx, s.seal(contactSalt, salt))
}

// GetNCTSalt implements store.NCTSaltStore.
func (s *sealedStore) GetNCTSalt(ctx context.Context) ([]byte, error) {
	sealed, err := s.inner.GetNCTSalt(ctx)
	if len(sealed) == 0 || err != nil {
		return nil, err
	}
	return s.open(contactSalt, sealed)
}

// DeleteNCTSalt implements store.NCTSaltStore.
func (s *sealedStore) DeleteNCTSalt(ctx context.Context) error { return s.inner.DeleteNCTSalt(ctx) }

// eitherID calls open with an id, and if that is not the id of the row, with the other
// id of the same person.
func (s *sealedStore) eitherID(ctx context.Context, id types.JID, open func(id string) ([]byte, error)) ([]byte, error) {
	value, err := open(id.ToNonAD().String())
	if !errors.Is(err, seal.ErrDamaged) {
		return value, err
	}
	var other types.JID
	var failed error
	switch id.Server {
	case types.DefaultUserServer:
		other, failed = s.lids.GetLIDForPN(ctx, id.ToNonAD())
	case types.HiddenUserServer:
		other, failed = s.lids.GetPNForLID(ctx, id.ToNonAD())
	}
	if failed != nil || other.IsEmpty() {
		return nil, errors.Join(err, failed)
	}
	return open(other.ToNonAD().String())
}

// GetBufferedEvent implements store.EventBuffer.
func (s *sealedStore) GetBufferedEvent(ctx context.Context, sum [32]byte) (*store.BufferedEvent, error) {
	e, err := s.inner.GetBufferedEvent(ctx, sum)
	if e == nil || err != nil {
		return nil, err
	}
	if e.Plaintext, err = s.open(bufferedEvent, e.Plaintext, string(sum[:])); err != nil {
		return nil, err
	}
	return e, nil
}

// PutBufferedEvent implements store.EventBuffer.
func (s *sealedStore) PutBufferedEvent(ctx context.Context, sum [32]byte, plain []byte, at time.Time) error {
	return s.inner.PutBufferedEvent(ctx, sum, s.seal(bufferedEvent, plain, string(sum[:])), at)
}

// DoDecryptionTxn implements store.EventBuffer.
func (s *sealedStore) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) error {
	return s.inner.DoDecryptionTxn(ctx, open)
}

// ClearBufferedEventPlaintext implements store.EventBuffer.
func (s *sealedStore) ClearBufferedEventPlaintext(ctx context.Context, sum [32]byte) error {
	return s.inner.ClearBufferedEventPlaintext(ctx, sum)
}

// DeleteOldBufferedHashes implements store.EventBuffer.
func (s *sealedStore) DeleteOldBufferedHashes(ctx context.Context) error {
	return s.inner.DeleteOldBufferedHashes(ctx)
}

// AddOutgoingEvent implements store.EventBuffer.
func (s *sealedStore) AddOutgoingEvent(ctx context.Context, chat types.JID, id types.MessageID, format string, plain []byte) error {
	return s.inner.AddOutgoingEvent(ctx, chat, id, format, s.seal(sentMessage, plain, chat.String(), id))
}

// GetOutgoingEvent implements store.EventBuffer. The row may be under either id of the
// chat.
func (s *sealedStore) GetOutgoingEvent(ctx context.Context, chat, alt types.JID, id types.MessageID) (format string, plain []byte, err error) {
	format, sealed, err := s.inner.GetOutgoingEvent(ctx, chat, alt, id)
	if err != nil {
		return "", nil, err
	}
	plain, err = s.open(sentMessage, sealed, chat.String(), id)
	if errors.Is(err, seal.ErrDamaged) && !alt.IsEmpty() {
		plain, err = s.open(sentMessage, sealed, alt.String(), id)
	}
	return format, plain, err
}

// DeleteOldOutgoingEvents implements store.EventBuffer.
func (s *sealedStore) DeleteOldOutgoingEvents(ctx context.Context) error {
	return s.inner.DeleteOldOutgoingEvents(ctx)
}
