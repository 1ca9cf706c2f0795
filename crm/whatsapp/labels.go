package whatsapp

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var _ crm.Labelled = (*Messenger)(nil)

const (
	labelsAtOnce = 50          // changes of labels in one patch
	labelCheck   = time.Minute // how often labels are looked at without a notification
	labelRefused = time.Hour   // how long labels that WhatsApp has refused again and again wait, at most
)

// ownLabels remembers what we have changed on the phone, which WhatsApp tells us again. It
// is the same change if it has the same time, which we choose.
type ownLabels struct {
	mu   sync.Mutex
	sent map[string]int64 // guarded by mu: by index, unix milliseconds
}

func (o *ownLabels) add(index []string, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == nil {
		o.sent = map[string]int64{}
	}
	o.sent[strings.Join(index, "\x00")] = at.UnixMilli()
}

// is reports whether a change is the last of ours with that index.
func (o *ownLabels) is(at time.Time, index ...string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent, ours := o.sent[strings.Join(index, "\x00")]
	return ours && sent == at.UnixMilli()
}

// hasLabels reports whether an account of that platform has labels: only the app for
// businesses does.
func hasLabels(platform string) bool { return strings.HasPrefix(platform, "smb") }

// HasLabels implements crm.Labelled.
func (m *Messenger) HasLabels(ctx context.Context, l crm.Line) (has, known bool, err error) {
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil || row == nil || row.Device == "" {
		return false, false, err
	}
	j, err := types.ParseJID(row.Device)
	if err != nil {
		return false, false, nil
	}
	dev, err := m.container.device(ctx, j)
	if err != nil || dev == nil || dev.Platform == "" {
		return false, false, err
	}
	return hasLabels(dev.Platform), true, nil
}

// Label implements crm.Labelled.
func (m *Messenger) Label(l crm.Line) {
	if s := m.serving(l); s != nil {
		notify(s.labels)
	}
}

// sendLabels tells the phone of the line's labels until ctx ends.
func (s *session) sendLabels(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	for refused := (pause{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-s.labels:
		case <-again.C:
		}
		if left := refused.left(); left > 0 { // whatever else there is to tell comes after it
			again.Reset(left)
			continue
		}
		err := errPanicked
		unlessPanics(s.log, "telling the phone of labels", func() { err = s.sendAllLabels(ctx) })
		next := labelCheck
		if refused.add(err, sendCheck, labelRefused); err != nil {
			next = refused.left()
			s.log.Info("the phone was not told of labels", "error", err, "again", next)
		}
		again.Reset(next)
	}
}

var errPanicked = errors.New("whatsapp: a fault of this server")

// sendAllLabels tells the phone of all changes.
func (s *session) sendAllLabels(ctx context.Context) error {
	for {
		if more, err := s.sendSomeLabels(ctx); !more || err != nil {
			return err
		}
	}
}

// sendSomeLabels tells the phone of some changes, and reports whether there may be more.
func (s *session) sendSomeLabels(ctx context.Context) (more bool, err error) {
	cli := s.client()
	if cli == nil || !cli.IsLoggedIn() {
		return false, nil // sendLabels wakes when the line is online
	}
	life := s.lifeOf(cli)
	if life == nil || !life.begin() { // the next connection begins after this attempt
		return false, nil
	}
	defer life.works.Done()
	changes, err := s.m.rules.LabelChanges(ctx, s.on, labelsAtOnce)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	patch := appstate.PatchInfo{Type: appstate.WAPatchRegular, Timestamp: time.Now()}
	var ids []int64
	for _, ch := range changes {
		ids = append(ids, ch.ID)
		if !ch.Gone {
			patch.Mutations = append(patch.Mutations, labelMutations(cli, ch)...)
		}
	}
	if !hasLabels(cli.Store.Platform) {
		s.log.Info("tags do not become labels: the account is not one of WhatsApp Business")
	} else if len(patch.Mutations) > 0 {
		for _, m := range patch.Mutations {
			s.ownLabels.add(m.Index, patch.Timestamp)
		}
		limited, cancel := context.WithTimeout(ctx, s.m.times.answer)
		defer cancel()
		defer context.AfterFunc(life.closed, cancel)()
		if err := s.sendState(limited, cli, patch); err != nil && life.closed.Err() != nil {
			return false, nil // not refused: the next connection begins with it
		} else if err != nil {
			return false, err
		}
	}
	return len(changes) == labelsAtOnce, s.m.rules.LabelsSent(ctx, s.on, ids)
}

// labelMutations returns what tells the phone of one change.
func labelMutations(cli *whatsmeow.Client, ch crm.LabelChange) []appstate.MutationInfo {
	if ch.ChatID == "" {
		return appstate.BuildLabelEdit(ch.Label, ch.Name, ch.Color, ch.Deleted).Mutations
	}
	id := ch.ChatID
	if ch.LID != "" && cli.Store.LIDMigrationTimestamp > 0 { // the phone knows its chats by hidden ids
		id = ch.LID
	}
	j, err := jidOf(id)
	if err != nil {
		return nil
	}
	return appstate.BuildLabelChat(j, ch.Label, ch.Labelled).Mutations
}
