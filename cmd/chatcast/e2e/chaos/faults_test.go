package chaos

import (
	"syscall"
	"time"

	"chatcast/models/testdb"
)

// suffer lets the faults happen.
func (w *world) suffer(plans []plan) {
	w.t.Helper()
	ends := map[plan]func(){}
	for _, m := range moments(plans) {
		rest(w.ctx, time.Until(w.began.Add(m.at)))
		if m.begin {
			ends[m.plan] = w.inflict(m.plan)
		} else {
			ends[m.plan]()
		}
		if m.begin && m.plan.lasts == 0 {
			ends[m.plan]()
		}
	}
	rest(w.ctx, time.Until(w.began.Add(*timeFlag)))
	for _, n := range w.nodes {
		n.await(w.t)
	}
}

// inflict begins a fault and returns what ends it.
func (w *world) inflict(p plan) (end func()) {
	from := time.Now()
	done := func(to time.Time) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.disturbances = append(w.disturbances, disturbance{p.node, p.what, span{from, to}})
	}
	switch p.what {
	case kill, restart:
		signal := syscall.SIGKILL
		if p.what == restart {
			signal = syscall.SIGTERM
		}
		release := w.nodes[p.node].end(signal)
		return func() {
			release()
			w.running.Go(func() { // it is disturbed until it serves again
				select {
				case <-w.nodes[p.node].served():
				case <-w.ctx.Done():
				}
				done(time.Now())
			})
		}
	case stop:
		address := w.balancer.point(p.node, "")
		w.nodes[p.node].signal(syscall.SIGSTOP)
		return func() {
			w.nodes[p.node].signal(syscall.SIGCONT)
			if address != "" { // it listened, and does so still
				w.balancer.point(p.node, address)
			}
			done(time.Now())
		}
	case cutOff:
		w.proxies[p.node].Cut()
	case hang:
		w.proxies[p.node].Hang()
	case crash:
		testdb.RestartPostgres(w.t, func() { rest(w.ctx, p.lasts) })
		return func() { done(time.Now()) }
	case redis:
		w.redis.Kill()
		return func() {
			w.redis.Launch()
			done(time.Now())
		}
	case cut:
		w.balancer.cut(p.node)
		return func() {}
	case halfOpen:
		addresses, heal := w.balancer.halfOpen(p.node)
		for _, m := range w.members {
			m.stuck(addresses, from)
		}
		return heal
	case fail:
		for _, r := range w.receivers {
			r.broken.Store(true)
		}
		return func() {
			for _, r := range w.receivers {
				r.broken.Store(false)
			}
		}
	}
	return func() {
		w.proxies[p.node].Heal()
		done(time.Now())
	}
}
