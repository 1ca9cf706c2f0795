package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// WhatsApp refuses messages to people whom the account does not seem to know, with the
// same 463 as for a locked account. A message proves acquaintance with the person's own
// token, or with one that is made from the account's salt. whatsmeow adds what it has:
//
//	token   comes by notification, after we gave ours to the person or they wrote to us
//	salt    comes with the app state or the history, once
//
// A line that was paired by a version that did not know the salt has passed the place in
// the app state where it stood, so the app state is read again from its beginning.

// tokenLife is how long whatsmeow uses a token, at least.
const tokenLife = 21 * 24 * time.Hour

// tokens wraps the store of people's tokens, and wakes whoever waits for one.
type tokens struct {
	store.PrivacyTokenStore
	b *buffer
}

// PutPrivacyTokens implements store.PrivacyTokenStore.
func (t tokens) PutPrivacyTokens(ctx context.Context, all ...store.PrivacyToken) error {
	err := t.b.insist(ctx, func() error { return t.PrivacyTokenStore.PutPrivacyTokens(ctx, all...) })
	notify(t.b.s.tokens)
	return err
}

// refusedReach reports whether WhatsApp refused a message because the account is locked
// or does not seem to know the person.
func refusedReach(err error) bool { return err != nil && serverCode(err) == 463 }

// findSalt reads the app state again when the account has no salt. It does so once in the
// life of a session: an account need not have one.
func (s *session) findSalt(ctx context.Context, cli *whatsmeow.Client) (found bool) {
	salt, err := cli.Store.NCTSalt.GetNCTSalt(ctx)
	if err != nil || len(salt) > 0 || s.soughtSalt.Swap(true) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	if err := s.readPart(ctx, cli, appstate.WAPatchRegularHigh, true); err != nil {
		s.log.Info("the app state could not be read again for the account's salt", "error", err)
		return false
	}
	salt, err = cli.Store.NCTSalt.GetNCTSalt(ctx)
	return err == nil && len(salt) > 0
}

// GetPrivacyToken implements store.PrivacyTokenStore. A token that is rotten is none.
func (t tokens) GetPrivacyToken(ctx context.Context, user types.JID) (*store.PrivacyToken, error) {
	known, err := t.PrivacyTokenStore.GetPrivacyToken(ctx, user)
	if known == nil || err != nil {
		return known, err
	}
	if _, rotten := t.b.s.rotten.Load(string(known.Token)); rotten {
		return nil, nil
	}
	return known, nil
}

// acquaint gets what proves acquaintance with a person after WhatsApp missed it, and
// reports whether there is something new to send along. whatsmeow gives the person our
// token with the first message of a week, also when that is refused. The person's own
// comes soon after, if at all. sent is the token that WhatsApp did not take, which is not
// used again: without it whatsmeow makes one from the salt.
func (s *session) acquaint(ctx context.Context, cli *whatsmeow.Client, to types.JID, sent []byte) bool {
	if len(sent) > 0 {
		s.rotten.Store(string(sent), true)
		if salt, err := cli.Store.NCTSalt.GetNCTSalt(ctx); err == nil && len(salt) > 0 {
			return true
		}
	}
	if to.Server == types.DefaultUserServer {
		if lid, err := cli.Store.LIDs.GetLIDForPN(ctx, to); err == nil && !lid.IsEmpty() {
			to = lid
		}
	}
	if to.Server != types.HiddenUserServer {
		return false
	}
	if hasToken(ctx, cli, to) || s.findSalt(ctx, cli) {
		return true
	}
	late := time.NewTimer(s.m.times.token)
	defer late.Stop()
	for !hasToken(ctx, cli, to) {
		select {
		case <-s.tokens:
		case <-late.C:
			return hasToken(ctx, cli, to) // another send may have taken the notice of it
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func hasToken(ctx context.Context, cli *whatsmeow.Client, to types.JID) bool {
	return len(tokenOf(ctx, cli, to)) > 0
}

// tokenOf returns a person's token, or nil when there is none that can be used.
func tokenOf(ctx context.Context, cli *whatsmeow.Client, to types.JID) []byte {
	t, err := cli.Store.PrivacyTokens.GetPrivacyToken(ctx, to)
	if err != nil || t == nil || time.Since(t.Timestamp) >= tokenLife {
		return nil
	}
	return t.Token
}
