package whatsapp

import (
	"context"
	"time"

	"chatcast/crm"
)

// listenRest is how long after the loss of the database the listening begins again.
const listenRest = time.Second

// listen hears what other processes tell about lines, until ctx ends. Without it everything
// is found some seconds later.
func (m *Messenger) listen(ctx context.Context) {
	hears := true // until it is told that not
	for {
		err := m.rules.ListenLines(ctx, func(n crm.LineNews) {
			hears = true
			m.heard(n)
		})
		if ctx.Err() != nil {
			return
		}
		if hears {
			m.Log.Warn("this process does not hear of others' lines; it tries to listen again", "error", err)
		}
		hears = false
		if wait(ctx, listenRest) != nil {
			return
		}
	}
}

// heard wakes what a piece of news concerns. It does not block.
func (m *Messenger) heard(n crm.LineNews) {
	on := crm.Line{LicenseID: n.LicenseID, Messenger: n.MessengerType}
	switch n.What {
	case crm.NewsOutbox:
		m.Queue(on)
	case crm.NewsLabels:
		m.Label(on)
	case crm.NewsSettings:
		if m.serving(on) != nil {
			m.Configure(on)
		}
	case crm.NewsNodes:
		notify(m.freed)
	case crm.NewsCall:
		if n.Node == m.owner {
			notify(m.asked)
		}
	case crm.NewsAnswer:
		if n.Node == m.owner {
			m.answers.come(n.Call)
		}
	case crm.NewsMissed:
		for _, s := range m.served() {
			notify(s.outbox)
			notify(s.labels)
		}
		m.answers.all()
		notify(m.asked)
		notify(m.freed)
		notify(m.notify)
	}
}
