package chaos

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const presenceChannel = "presence-room"

// member is a user who comes to a presence channel and goes, again and again, and records
// who was shown.
type member struct {
	// static
	balancer *balancer
	user     string
	random   *rand.Rand
	stays    bool // it comes back at once whenever it was cut

	mu sync.Mutex
	// guarded by mu
	sockets   []*presenceSocket
	observers []*observer
	limbo     map[string]time.Time // since when sockets are half-open, by their address
	local     string
}

// run comes and goes until ctx ends. The last time it stays if it is told to.
func (m *member) run(ctx, calm context.Context) {
	for ctx.Err() == nil {
		stay := time.Duration(0)
		if !m.stays {
			stay = time.Duration(m.random.Int64N(int64(20 * time.Second)))
		}
		m.session(ctx, calm, stay)
		away := 100 * time.Millisecond
		if !m.stays && calm.Err() == nil {
			away += time.Duration(m.random.Int64N(int64(15 * time.Second)))
			rest(calm, away)
			continue
		}
		rest(ctx, away)
	}
}

// session is one socket. It ends after stay, unless that is 0 or it is calm.
func (m *member) session(ctx, calm context.Context, stay time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := dial(ctx, m.balancer, appKey)
	if err != nil {
		return
	}
	defer s.close()
	node, known := m.balancer.of(s.local)
	if !known {
		return
	}
	user, err := json.Marshal(map[string]string{"user_id": m.user})
	if err != nil {
		return
	}
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(s.id + ":" + presenceChannel + ":" + string(user)))
	// From here on the nodes may know of it.
	sock := &presenceSocket{user: m.user, node: node, asked: time.Now()}
	obs := &observer{name: m.user + " at " + s.id, node: node}
	m.mu.Lock()
	m.sockets, m.local = append(m.sockets, sock), s.local.String()
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		sock.left = time.Now()
		sock.limbo = m.limbo[m.local]
		if obs.to = sock.left; !sock.limbo.IsZero() {
			obs.to = sock.limbo
		}
		m.local = ""
	}()
	err = s.write("pusher:subscribe", map[string]string{
		"channel": presenceChannel, "auth": appKey + ":" + hex.EncodeToString(mac.Sum(nil)), "channel_data": string(user),
	})
	if err != nil {
		return
	}
	if stay > 0 {
		leaving := time.AfterFunc(stay, func() {
			if calm.Err() == nil {
				cancel()
			}
		})
		defer leaving.Stop()
	}
	talk, quiet := context.WithCancel(calm)
	var talking sync.WaitGroup
	defer talking.Wait()
	defer quiet()
	for {
		f, err := s.read()
		if err != nil {
			return
		}
		if f.Channel == presenceChannel {
			m.note(sock, obs, f)
		}
		if f.Event == "pusher_internal:subscription_succeeded" {
			talking.Go(func() { m.talk(talk, s) })
		}
	}
}

// talk says something to the others again and again, of which the app's receiver is told.
func (m *member) talk(ctx context.Context, s *socket) {
	for n := 0; ; n++ {
		rest(ctx, time.Second)
		said := map[string]string{"event": "client-said", "channel": presenceChannel, "data": fmt.Sprintf("%s %s %d", m.user, s.id, n)}
		if ctx.Err() != nil || s.send(said) != nil {
			return
		}
	}
}

// note records who is shown.
func (m *member) note(sock *presenceSocket, obs *observer, f frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	var data struct {
		UserID   string `json:"user_id"`
		Presence struct{ IDs []string }
	}
	if json.Unmarshal([]byte(f.Data), &data) != nil {
		return
	}
	switch f.Event {
	case "pusher_internal:subscription_succeeded":
		sock.joined, obs.from, obs.members = now, now, data.Presence.IDs
		m.observers = append(m.observers, obs)
	case "pusher_internal:member_added", "pusher_internal:member_removed":
		obs.changes = append(obs.changes, memberChange{now, data.UserID, f.Event == "pusher_internal:member_added"})
	}
}

// stuck notes that sockets are half-open, if one is of this member.
func (m *member) stuck(addresses []string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, address := range addresses {
		if address == m.local && m.limbo[address].IsZero() {
			m.limbo[address] = at
		}
	}
}

// shown returns who is shown now, and whether the member is there.
func (m *member) shown() (users map[string]bool, there bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.observers) == 0 || m.local == "" {
		return nil, false
	}
	o := m.observers[len(m.observers)-1]
	if !o.to.IsZero() {
		return nil, false
	}
	users = map[string]bool{}
	for _, user := range o.members {
		users[user] = true
	}
	for _, c := range o.changes {
		if users[c.user] = c.added; !c.added {
			delete(users, c.user)
		}
	}
	return users, true
}

// record returns what the checker needs, at the end of the run.
func (m *member) record() (sockets []presenceSocket, observers []observer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for _, s := range m.sockets {
		c := *s
		if c.left.IsZero() {
			c.left = now
		}
		sockets = append(sockets, c)
	}
	for _, o := range m.observers {
		c := *o
		if c.to.IsZero() {
			c.to = now
		}
		observers = append(observers, c)
	}
	return sockets, observers
}
