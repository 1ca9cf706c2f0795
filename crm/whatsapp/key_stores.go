package whatsapp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waMsgTransport"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/models/seal"
)

// buffer wraps whatsmeow's buffer of decrypted events. whatsmeow takes every decryption
// error for a message that cannot be decrypted, and acknowledges it. An error of our
// database is different: buffer waits for the database, and then closes the connection.
// whatsmeow does not acknowledge a message whose error is context.Canceled.
type buffer struct {
	store.EventBuffer
	s    *session
	life *lifetime
}

// shield wraps a device's stores, once: the lock around its Signal sessions, and the
// buffer around that. A device that is not paired has no stores.
func shield(dev *store.Device, s *session, l *lifetime) {
	if _, shielded := dev.EventBuffer.(*buffer); !shielded {
		guard(dev, l)
		watch(dev, s, l)
	}
}

// watch puts a buffer around a device's stores. A device that is not paired has none.
func watch(dev *store.Device, s *session, l *lifetime) {
	if dev.Initialized {
		b := &buffer{dev.EventBuffer, s, l}
		dev.EventBuffer, dev.Sessions, dev.LIDs, dev.MsgSecrets = b, sessions{dev.Sessions, b}, hiddenIDs{dev.LIDs, b}, secrets{dev.MsgSecrets, b}
		dev.PrivacyTokens, dev.Contacts = tokens{dev.PrivacyTokens, b}, contacts{dev.Contacts, new(sync.Mutex)}
		parts := &partStore{AppStateStore: dev.AppState, s: s, aside: map[appstate.WAPatchName]*unread{}}
		s.states.store.Store(parts)
		dev.AppState = parts
	}
}

var errOver = fmt.Errorf("whatsapp: the connection is over: %w", context.Canceled)

// GetBufferedEvent implements store.EventBuffer.
func (b *buffer) GetBufferedEvent(ctx context.Context, sum [32]byte) (found *store.BufferedEvent, err error) {
	err = b.insist(ctx, func() error {
		found, err = b.EventBuffer.GetBufferedEvent(ctx, sum)
		return err
	})
	return found, err
}

// DoDecryptionTxn implements store.EventBuffer. A failed attempt has usually changed
// nothing, so it may be repeated: a message is undecryptable only if it fails while the
// database is available. When only the answer to the commit was lost, the next attempt
// finds the message decrypted; the plaintext is in the buffer, and found there when the
// message is delivered again.
func (b *buffer) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) (err error) {
	if !b.life.begin() {
		return errOver
	}
	defer b.life.works.Done()
	failed := false
	for range 2 { // twice, because not every database error is recognised
		unavailable := b.insist(ctx, func() error {
			err = b.EventBuffer.DoDecryptionTxn(ctx, open)
			if failed && errors.Is(err, signalerror.ErrOldCounter) {
				b.s.breakOff()
				err = errOver
			}
			failed = failed || err != nil
			if databaseUnavailable(err) {
				return err
			}
			return nil
		})
		switch {
		case unavailable != nil:
			return unavailable
		case err == nil, ctx.Err() != nil, errors.Is(err, errOver), errors.Is(err, signalerror.ErrOldCounter), errors.Is(err, errNoMessage):
			return err
		}
		there := func() error { return b.ClearBufferedEventPlaintext(ctx, [32]byte{}) }
		if unavailable := b.insist(ctx, there); unavailable != nil {
			return unavailable
		}
	}
	return err
}

// databaseUnavailable reports whether err is a database error that may pass. If the
// database refuses the data itself, a second try would fail too.
func databaseUnavailable(err error) bool {
	var postgres interface{ SQLState() string }
	var sqlite interface{ Code() int }
	var network net.Error
	switch {
	case errors.As(err, &postgres) && len(postgres.SQLState()) == 5:
		// connection, transaction in a bad state, rolled back, resources, lock, operator, system, internal
		return slices.Contains([]string{"08", "25", "40", "53", "55", "57", "58", "XX"}, postgres.SQLState()[:2])
	case errors.As(err, &sqlite):
		// busy, locked, no memory, read-only, interrupted, I/O, full, cannot open, protocol; the rest is in the higher bits
		return slices.Contains([]int{5, 6, 7, 8, 9, 10, 13, 14, 15}, sqlite.Code()&0xff)
	}
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, sql.ErrTxDone) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// sessions and hiddenIDs wrap stores that whatsmeow reads before it decrypts a message.
// If a read fails, whatsmeow continues without the value and then cannot decrypt the
// message. We read them too, to find the chat of a message.
type sessions struct {
	store.SessionStore
	b *buffer
}

// MigratePNToLID implements store.SessionStore.
func (s sessions) MigratePNToLID(ctx context.Context, number, hidden types.JID) error {
	return s.b.insist(ctx, func() error { return s.SessionStore.MigratePNToLID(ctx, number, hidden) })
}

type hiddenIDs struct {
	store.LIDStore
	b *buffer
}

// GetLIDForPN implements store.LIDStore.
func (h hiddenIDs) GetLIDForPN(ctx context.Context, number types.JID) (hidden types.JID, err error) {
	if number.Server != types.DefaultUserServer { // always refused: retrying is useless
		return h.LIDStore.GetLIDForPN(ctx, number)
	}
	err = h.b.insist(ctx, func() error {
		hidden, err = h.LIDStore.GetLIDForPN(ctx, number)
		return err
	})
	return hidden, err
}

// GetPNForLID implements store.LIDStore.
func (h hiddenIDs) GetPNForLID(ctx context.Context, hidden types.JID) (number types.JID, err error) {
	if hidden.Server != types.HiddenUserServer {
		return h.LIDStore.GetPNForLID(ctx, hidden)
	}
	err = h.b.insist(ctx, func() error {
		number, err = h.LIDStore.GetPNForLID(ctx, hidden)
		return err
	})
	return number, err
}

// secrets wraps the store of keys for votes, reactions and edits that are encrypted a
// second time.
type secrets struct {
	store.MsgSecretStore
	b *buffer
}

// GetMessageSecret implements store.MsgSecretStore. The id and the sender come from
// outside: the database may refuse values that no message can have, every time, so those
// are not looked up.
func (s secrets) GetMessageSecret(ctx context.Context, chat, sender types.JID, id types.MessageID) (secret []byte, by types.JID, err error) {
	if !fitsID(id) || !hiddenForm.MatchString(sender.User) {
		return nil, sender, nil
	}
	err = s.b.insist(ctx, func() error {
		secret, by, err = s.MsgSecretStore.GetMessageSecret(ctx, chat, sender, id)
		return err
	})
	return secret, by, err
}

// insist calls do, which only the database can make fail, until it succeeds. When
// patience or the connection ends it closes the connection and returns errOver.
func (b *buffer) insist(ctx context.Context, do func() error) error {
	if b.s.broken.Load() || !b.life.begin() {
		return errOver
	}
	defer b.life.works.Done()
	began := time.Now()
	for tries := 1; ; tries++ {
		err := do()
		if err == nil || ctx.Err() != nil || errors.Is(err, seal.ErrDamaged) { // a damaged value stays damaged
			return err
		}
		b.s.log.Warn("the database of keys is unavailable", "try", tries, "error", err)
		if time.Since(began) > b.s.m.times.patience || wait(b.life.ctx, min(2*time.Second, time.Duration(tries)*100*time.Millisecond)) != nil {
			b.s.breakOff()
			return fmt.Errorf("%w: %w", errOver, err)
		}
	}
}

var errNoMessage = errors.New("whatsapp: what was opened is no message")

// PutBufferedEvent implements store.EventBuffer. whatsmeow silently drops a decrypted
// payload that is not a message. PutBufferedEvent returns an error for it, so that a
// placeholder is kept and the sender is asked for the message again.
func (b *buffer) PutBufferedEvent(ctx context.Context, sum [32]byte, plain []byte, at time.Time) error {
	if !readable(plain) {
		return errNoMessage
	}
	return b.EventBuffer.PutBufferedEvent(ctx, sum, plain, at)
}

// readable reports whether a decrypted payload is a message. Version 2 messages are
// padded, and the last byte is the length of the padding. Version 3 messages are not
// padded and must have a payload and a protocol, because many random bytes parse as a
// version 3 message without either.
func readable(plain []byte) bool {
	if n := len(plain); n > 0 && int(plain[n-1]) <= n && proto.Unmarshal(plain[:n-int(plain[n-1])], &waE2E.Message{}) == nil {
		return true
	}
	var v3 waMsgTransport.MessageTransport
	return proto.Unmarshal(plain, &v3) == nil && v3.GetPayload() != nil && v3.GetProtocol() != nil
}
