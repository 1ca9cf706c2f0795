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
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waMsgTransport"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// buffer stands around whatsmeow's buffer of what was opened. whatsmeow takes
// every error of opening for a message that nobody can open, and acknowledges it.
// An error of our database is none: it is waited for, and then the connection is
// given up. whatsmeow acknowledges nothing when it is told of context.Canceled.
type buffer struct {
	store.EventBuffer
	s    *session
	life *lifetime
}

// shield puts what is ours around a device's stores, once: the lock before its
// Signal sessions, and the buffer around that. A device that is not paired has no stores.
func shield(dev *store.Device, s *session, l *lifetime) {
	if _, shielded := dev.EventBuffer.(*buffer); !shielded {
		guard(dev)
		watch(dev, s, l)
	}
}

// watch puts it around a device's stores; one that is not paired has none.
func watch(dev *store.Device, s *session, l *lifetime) {
	if dev.Initialized {
		b := &buffer{dev.EventBuffer, s, l}
		dev.EventBuffer, dev.Sessions, dev.LIDs, dev.MsgSecrets = b, sessions{dev.Sessions, b}, hiddenIDs{dev.LIDs, b}, secrets{dev.MsgSecrets, b}
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

// DoDecryptionTxn implements store.EventBuffer. An attempt that failed has changed
// nothing, so it may be made again: only what fails while the database is there
// cannot be opened.
func (b *buffer) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) (err error) {
	if !b.life.begin() {
		return errOver
	}
	defer b.life.works.Done()
	for range 2 { // a second time, for faults of the database that look like none
		unavailable := b.insist(ctx, func() error {
			if err = b.EventBuffer.DoDecryptionTxn(ctx, open); databaseUnavailable(err) {
				return err
			}
			return nil
		})
		switch {
		case unavailable != nil:
			return unavailable
		case err == nil, ctx.Err() != nil, errors.Is(err, signalerror.ErrOldCounter), errors.Is(err, errNoMessage):
			return err
		}
		there := func() error { return b.ClearBufferedEventPlaintext(ctx, [32]byte{}) }
		if unavailable := b.insist(ctx, there); unavailable != nil {
			return unavailable
		}
	}
	return err
}

// databaseUnavailable says whether err is of a database that may be there in a moment. What
// it refuses for what is in it, it will always refuse.
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

// sessions and hiddenIDs are asked before a message is opened. whatsmeow goes on
// without what it did not get, and then cannot open the message. We ask too, whose
// chat a message belongs to.
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
	if number.Server != types.DefaultUserServer { // it is refused, and always will be
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

// secrets are the keys of votes, reactions and edits that are encrypted a second time.
type secrets struct {
	store.MsgSecretStore
	b *buffer
}

// GetMessageSecret implements store.MsgSecretStore. What is asked for, people write:
// what no message has for an id may be refused by the database for ever.
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

// insist does what only the database can make fail, until it is there again or
// patience ends, and the connection with it.
func (b *buffer) insist(ctx context.Context, do func() error) error {
	if b.s.broken.Load() || !b.life.begin() {
		return errOver
	}
	defer b.life.works.Done()
	began := time.Now()
	for tries := 1; ; tries++ {
		err := do()
		if err == nil || ctx.Err() != nil {
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

// PutBufferedEvent implements store.EventBuffer. What was opened and is no message
// would be refused without a word to us; as an error it keeps its place, and the
// sender is asked for it again.
func (b *buffer) PutBufferedEvent(ctx context.Context, sum [32]byte, plain []byte, at time.Time) error {
	if !readable(plain) {
		return errNoMessage
	}
	return b.EventBuffer.PutBufferedEvent(ctx, sum, plain, at)
}

// readable: messages of version 2 are padded, with as many bytes as the last says;
// those of version 3 are not, and have a payload and a protocol. By chance, many bytes
// are a message of theirs without either.
func readable(plain []byte) bool {
	if n := len(plain); n > 0 && int(plain[n-1]) <= n && proto.Unmarshal(plain[:n-int(plain[n-1])], &waE2E.Message{}) == nil {
		return true
	}
	var v3 waMsgTransport.MessageTransport
	return proto.Unmarshal(plain, &v3) == nil && v3.GetPayload() != nil && v3.GetProtocol() != nil
}
