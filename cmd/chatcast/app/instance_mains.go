package app

import (
	"context"
	"log/slog"
	"sync"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/server/socketio"
)

// mainRooms brings clients in the main namespace the events of instances that are made while they
// are there.
type mainRooms struct {
	directory *crm.InstanceDirectory
	log       *slog.Logger
	nudge     chan struct{} // holds one: "somebody has come"

	mu   sync.Mutex
	here map[*socketio.Socket]*mainRoom // guarded by mu
}

// mainRoom is where one client is. lines belongs to run, after the client was added.
type mainRoom struct {
	companyID int64
	lines     map[crm.Line]bool
}

func newMainRooms(directory *crm.InstanceDirectory, log *slog.Logger) *mainRooms {
	return &mainRooms{directory: directory, log: log, nudge: make(chan struct{}, 1), here: map[*socketio.Socket]*mainRoom{}}
}

// entered notes that a client is there, with the events of these lines.
func (m *mainRooms) entered(s *socketio.Socket, companyID int64, lines map[crm.Line]bool) {
	m.mu.Lock()
	m.here[s] = &mainRoom{companyID, lines}
	m.mu.Unlock()
	select {
	case m.nudge <- struct{}{}:
	default:
	}
}

func (m *mainRooms) left(s *socketio.Socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.here, s)
}

// run follows the directory until ctx ends. It returns nil.
func (m *mainRooms) run(ctx context.Context) error {
	for {
		changed := m.directory.Changed()
		m.mu.Lock()
		here := make(map[*socketio.Socket]*mainRoom, len(m.here))
		for s, room := range m.here {
			here[s] = room
		}
		m.mu.Unlock()
		for s, room := range here {
			m.follow(ctx, s, room)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-m.nudge:
		}
	}
}

// follow lets a client have the events of its company's new instances. What fails is tried again
// at the next change.
func (m *mainRooms) follow(ctx context.Context, s *socketio.Socket, room *mainRoom) {
	for _, v := range m.directory.OfCompany(room.companyID) {
		if room.lines[v.Line] || !crm.IsWhatsApp(v.Line.Messenger) {
			continue
		}
		if err := s.Follow(ctx, channels.LineName(v.Line.LicenseID, v.Line.Messenger)); err != nil {
			m.log.WarnContext(ctx, "a client does not get the events of a new instance yet", "client", s.ID(), "error", err)
			continue
		}
		room.lines[v.Line] = true
	}
}
