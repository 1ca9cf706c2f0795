package chaos

import (
	"encoding/json"
	"fmt"
	"sync"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// page is a page of a stock library, which resumes the WhatsApp line.
type page struct {
	mu     sync.Mutex
	stream stream // guarded by mu
	last   int64  // guarded by mu
}

// openPages opens a page of each library, in one process of Node.js.
func openPages(w *world) []*page {
	w.t.Helper()
	byName := map[string]*page{}
	var pages []*page
	for _, name := range []string{"pusher-js 8", "pusher-js 7", "Laravel Echo", "EventSource"} {
		p := &page{stream: stream{name: name, channel: e2e.LineChannel, resumes: true, begin: w.begin}}
		byName[name], pages = p, append(pages, p)
	}
	names, err := json.Marshal(crm.EventNames())
	if err != nil {
		w.t.Fatal(err)
	}
	script := e2e.StartNode(w.t, "chaos.cjs", w.balancer.address(), w.token, e2e.LineChannel, fmt.Sprint(w.begin), string(names))
	w.running.Go(func() {
		for line := range script.Lines {
			var said []json.RawMessage
			var name, what string
			if json.Unmarshal([]byte(line), &said) != nil || len(said) != 3 || json.Unmarshal(said[0], &name) != nil || json.Unmarshal(said[1], &what) != nil {
				w.report(violation{failed, "pages", line})
				continue
			}
			byName[name].note(w, what, said[2])
		}
	})
	return pages
}

// note records what a page says.
func (p *page) note(w *world, what string, value json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch what {
	case "socket":
		p.stream.sockets = append(p.stream.sockets, nil)
	case "event":
		var id int64
		if json.Unmarshal(value, &id) != nil || len(p.stream.sockets) == 0 {
			return
		}
		last := len(p.stream.sockets) - 1
		p.stream.sockets[last] = append(p.stream.sockets[last], id)
		p.last = max(p.last, id)
	case "resume_failed":
		w.report(violation{failed, p.stream.name, "resume_failed: " + string(value)})
	}
}

func (p *page) at() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *page) received() stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stream
	s.sockets = nil
	for _, ids := range p.stream.sockets {
		s.sockets = append(s.sockets, append([]int64(nil), ids...))
	}
	return s
}
