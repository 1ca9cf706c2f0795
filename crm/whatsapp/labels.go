package whatsapp

import (
	"context"
	"errors"
	"fmt"
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
	labelsAtOnce = 50             // changes of labels in one patch
	labelCheck   = time.Minute    // how often labels are looked at without a notification
	labelRefused = time.Hour      // how long labels that WhatsApp has refused again and again wait, at most
	labelAgain   = 24 * time.Hour // how long one that WhatsApp refuses for what it is waits, at most
	labelsSpoilt = 3              // how many are refused for what they are before all wait
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
	refused := newLabelRefusals()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.labels:
		case <-again.C:
		}
		if left := refused.all.left(); left > 0 { // whatever else there is to tell comes after it
			again.Reset(left)
			continue
		}
		err := errPanicked
		unlessPanics(s.log, "telling the phone of labels", func() { err = s.sendAllLabels(ctx, refused) })
		next := labelCheck
		switch {
		case errors.Is(err, errNotSent), errors.Is(err, errPanicked):
			refused.all.add(err, sendCheck, labelRefused)
			next = refused.all.left()
			s.log.Info("the phone was not told of labels", "error", err, "again", next)
		case ctx.Err() != nil:
			return
		case err != nil: // of our database: WhatsApp need not be left alone
			s.log.Warn("the labels that the phone has to be told of could not be read or marked", "error", err)
		default:
			refused.all.add(nil, 0, 0)
		}
		again.Reset(next)
	}
}

var (
	errPanicked = errors.New("whatsapp: a fault of this server")
	errNotSent  = errors.New("whatsapp: a change of labels was not sent")
)

// sendAllLabels tells the phone of all changes, except those that wait after a refusal.
func (s *session) sendAllLabels(ctx context.Context, refused *labelRefusals) error {
	refused.begin()
	for after := int64(0); ; {
		changes, err := s.m.rules.LabelChanges(ctx, s.on, after, labelsAtOnce)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			refused.keepSeen()
			return nil
		}
		after = changes[len(changes)-1].ID
		if sent, err := s.sendSomeLabels(ctx, refused, refused.due(changes)); !sent || err != nil {
			return err
		}
	}
}

// sendSomeLabels tells the phone of changes at once. When WhatsApp refuses one of them for what
// it is, halves are sent until it is found. It returns false when the line is not online;
// sendLabels wakes when it is.
func (s *session) sendSomeLabels(ctx context.Context, refused *labelRefusals, changes []crm.LabelChange) (sent bool, err error) {
	if len(changes) == 0 {
		return true, nil
	}
	sent, err = s.sendLabelPatch(ctx, changes)
	if !faultOfChange(err) {
		return sent, err
	}
	if half := len(changes) / 2; half > 0 {
		for _, part := range [][]crm.LabelChange{changes[:half], changes[half:]} {
			if sent, err := s.sendSomeLabels(ctx, refused, refused.due(part)); !sent || err != nil {
				return sent, err
			}
		}
		return true, nil
	}
	if first := refused.add(changes[0]); first {
		s.log.Warn("WhatsApp refuses a change of a label; it is tried again now and then", "label", changes[0].Label, "error", err)
	}
	if refused.tooMany() {
		return true, err
	}
	return true, nil
}

// sendLabelPatch tells the phone of changes at once.
func (s *session) sendLabelPatch(ctx context.Context, changes []crm.LabelChange) (sent bool, err error) {
	cli := s.client()
	if cli == nil || !cli.IsLoggedIn() {
		return false, nil
	}
	life := s.lifeOf(cli)
	if life == nil || !life.begin() { // the next connection begins after this attempt
		return false, nil
	}
	defer life.works.Done()
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
		} else if databaseUnavailable(err) {
			return false, err
		} else if err != nil {
			return false, fmt.Errorf("%w: %w", errNotSent, err)
		}
	}
	return true, s.m.rules.LabelsSent(ctx, s.on, ids)
}

// labelMutations returns what tells the phone of one change.
func labelMutations(cli *whatsmeow.Client, ch crm.LabelChange) []appstate.MutationInfo {
	if ch.ChatID == "" {
		return appstate.BuildLabelEdit(ch.Label, ch.Name, ch.Color, ch.Deleted).Mutations
	}
	j, err := phoneChat(cli, ch.ChatID, ch.LID)
	if err != nil {
		return nil
	}
	return appstate.BuildLabelChat(j, ch.Label, ch.Labelled).Mutations
}
