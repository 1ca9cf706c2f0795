package whatsapp

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// accountTimer is after how long messages disappear in chats that the account begins. It is
// set here and on the phone: who set it last is right. WhatsApp tells it when asked, so it
// is asked at each connection.
type accountTimer struct {
	mu     sync.Mutex // held while WhatsApp is asked
	asked  bool       // guarded by mu: once, by the survey that each connection begins with
	synced int64      // guarded by mu: the time of the setting that both have; 0: not known
	tried  int64      // guarded by mu: the time of the setting that the last try was for
	failed pause      // guarded by mu
}

// due reports whether the line's setting, of that time, is not the one that both had, and
// WhatsApp was asked before and is not being asked. A try that failed is made again later, or for another setting.
func (t *accountTimer) due(since int64) bool {
	if !t.mu.TryLock() {
		return false
	}
	defer t.mu.Unlock()
	return t.asked && t.synced != since && (t.tried != since || t.failed.left() == 0)
}

// syncTimer makes the account's setting that of the line, or the other way round.
func (s *session) syncTimer(ctx context.Context, cli *whatsmeow.Client) {
	s.timer.mu.Lock()
	defer s.timer.mu.Unlock()
	s.timer.asked = true
	settings, err := s.m.rules.AccountSettings(ctx, s.on)
	if err != nil {
		s.log.Warn("the settings of the line could not be read", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	after, since, err := askTimer(ctx, cli)
	mine := settings.DisappearingSince
	s.timer.tried = mine
	switch {
	case err != nil || after == settings.Disappearing:
	case since > mine:
		mine, err = since, s.m.rules.AccountDisappears(ctx, s.on, after, since)
	case mine > 0:
		err = cli.SetDefaultDisappearingTimer(ctx, time.Duration(settings.Disappearing)*time.Second)
	}
	s.timer.failed.add(err, askAgain, askAgain)
	if err != nil {
		s.log.Info("the setting for new chats was not compared with that of the phone", "error", err)
		return
	}
	s.timer.synced = mine
}

// askTimer asks for the account's setting, in seconds, and when it was set, in unix
// seconds. whatsmeow sends the question with others and leaves the answer aside.
func askTimer(ctx context.Context, cli *whatsmeow.Client) (after, since int64, err error) {
	own := self(cli).PN
	if own.IsEmpty() {
		return 0, 0, nil
	}
	//lint:ignore SA1019 whatsmeow exports no other way to put a question of one's own
	list, err := cli.DangerousInternals().Usync(ctx, []types.JID{own}, "query", "interactive", []binary.Node{{Tag: "disappearing_mode"}})
	if err != nil {
		return 0, 0, err
	}
	for _, user := range list.GetChildren() {
		if mode, ok := user.GetOptionalChildByTag("disappearing_mode"); ok {
			ag := mode.AttrGetter()
			after, since = int64(ag.OptionalInt("duration")), int64(ag.OptionalInt("t"))
		}
	}
	if after < 0 || after > maxDisappearing || since < 0 || since > time.Now().Add(time.Hour).Unix() { // not believed
		return 0, 0, nil
	}
	return after, since, nil
}
