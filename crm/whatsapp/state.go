package whatsapp

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

// Descriptions of states, shown to people.
const (
	detailPairing    = "Scan the QR code, or type the code into the phone: WhatsApp, Linked devices."
	detailConnecting = "Connecting to WhatsApp."
	detailConnected  = "Connected to WhatsApp."
	detailReplaced   = "The session was opened in another place. Connect again to take it back."
	detailLoggedOut  = "The account's phone removed this device. Pair again."
	detailLeft       = "Logged out. Pair again."
	detailListed     = "Logged out here, but WhatsApp could not be told: the phone may still list this device. Remove it there, under Linked devices. Pair again."
	detailOutdated   = "WhatsApp does not serve this version any more. Update the program; until then it is tried each hour."
	detailPasskey    = "WhatsApp asks for the passkey of this account. Use it to go on with the pairing."
	detailNotScanned = "Nobody scanned the code in time. Ask for a new one."
	detailNotStored  = "The pairing was interrupted before it was complete."
	detailNoDevice   = "The session's keys are not in the database any more. Pair again."
	detailKeys       = "The session's keys could not be read; it is tried again."
	detailNoAnswer   = "WhatsApp does not answer; the connection is being renewed."
	detailFault      = "Sending a message met a fault of this program; the connection is being renewed."
	detailRestart    = "Somebody asked to connect again."
	detailDatabase   = "What came could not be stored; it is fetched again."

	detailPasskeyGiven      = "The passkey was used. WhatsApp and the phone are checking it."
	detailPasskeyCode       = "Compare the code with the one that the phone shows, and confirm it."
	detailPasskeyLate       = "The passkey was not used in time."
	detailPasskeyCancelled  = "The pairing was cancelled when WhatsApp asked for the passkey."
	detailPasskeyRefused    = "WhatsApp did not accept the passkey."
	detailPasskeyUnanswered = "WhatsApp did not answer to the passkey."
	detailPasskeyLost       = "WhatsApp ended the pairing before it was confirmed."
	detailPasskeyUnknown    = "WhatsApp asks for a passkey in a way that this version does not know."
	detailInterrupted       = "The program ended while the line was being paired. Ask for a new code."
)

// backoff returns how long to wait before the next try to connect after n failed tries:
// at most 250 ms for n = 0, then at most 1, 2, 4 ... 60 seconds. It is random, so that
// lines do not connect all at once.
func backoff(n int) time.Duration {
	if n == 0 {
		return rand.N(250 * time.Millisecond)
	}
	most := min(time.Minute, time.Second<<min(n-1, 10))
	return most/2 + rand.N(most/2)
}

// wait waits for d. It returns ctx's error when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// pause waits before the connection after the nth failed one. A logout that waits for the
// connection shortens it.
func (s *session) pause(ctx context.Context, n int) error {
	d := backoff(n)
	if s.loggingOut.Load() {
		d = min(d, time.Second)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-s.leaving.hurry:
	}
	return nil
}

// set sets and saves the line's state. If saving fails, the next renewal of the lease
// saves the state again.
func (s *session) set(ctx context.Context, st crm.LineState) {
	if s.loggingOut.Load() {
		return
	}
	st.Owner = s.m.owner
	s.mu.Lock()
	s.state, s.unsaved = st, true
	s.mu.Unlock()
	s.save(ctx)
}

func (s *session) save(ctx context.Context) {
	unlock, err := s.saving.lock(ctx)
	if err != nil { // the session has been stopped
		return
	}
	defer unlock()
	s.store(ctx)
}

// saveAgain is like save, but does nothing while another save waits for the database.
func (s *session) saveAgain(ctx context.Context) {
	if unlock, free := s.saving.tryLock(); free {
		defer unlock()
		s.store(ctx)
	}
}

// store saves the state if it is not saved yet. A session whose line another process has is
// stopped. s.saving is held. A logout has the last word: it lets nothing be saved after it has
// begun, and waits for what is being saved.
func (s *session) store(ctx context.Context) {
	if s.loggingOut.Load() {
		return
	}
	s.mu.Lock()
	st, unsaved := s.state, s.unsaved
	s.unsaved = false
	s.mu.Unlock()
	if !unsaved {
		return
	}
	err := s.m.rules.SetLineState(ctx, s.on, st)
	var refusal *crm.Error
	switch {
	case err == nil:
		if st.State == crm.StateConnecting || st.State == crm.StateDisconnected {
			notify(s.losses)
		}
	case errors.As(err, &refusal) && refusal.Code == crm.CodeConflict:
		s.log.Warn("another process serves this line now")
		s.stop()
	default:
		s.log.Warn("the state of the line could not be saved", "state", st.State, "error", err)
		s.mu.Lock()
		s.unsaved = true
		s.mu.Unlock()
	}
}

// deviceAndPhone returns the device and the phone number of the paired account, or empty
// strings when there is none.
func (s *session) deviceAndPhone() (device, phone string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, _ := types.ParseJID(s.device) // it was formatted from a JID
	return s.device, j.User
}

func (s *session) paired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device != ""
}
