package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/webhook"
)

// failing is the state of an endpoint of the app x.
func failing(endpoint string, failures int) webhook.State {
	return webhook.State{App: "x", Endpoint: endpoint, Failures: failures, Since: time.UnixMilli(5000), Suspended: time.UnixMilli(9000)}
}

func (p *process) report(list ...webhook.State) {
	p.t.Helper()
	if err := p.store.Report(p.t.Context(), p.owner, &webhook.Report{States: list}); err != nil {
		p.t.Fatalf("%s: Report: %v", p.owner, err)
	}
}

// sees compares the states that the process is told of.
func (p *process) sees(want ...webhook.State) {
	p.t.Helper()
	got, err := p.store.States(p.t.Context(), p.owner)
	if err != nil {
		p.t.Fatalf("%s: States: %v", p.owner, err)
	}
	p.same(got, want)
}

func (p *process) same(got, want []webhook.State) {
	p.t.Helper()
	slices.SortFunc(got, func(a, b webhook.State) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	if !slices.Equal(got, want) {
		p.t.Fatalf("%s is told of %+v, want %+v", p.owner, got, want)
	}
}

// The next process goes on with the states.
func keepsStates(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("xy", "xy")
	a.report(failing("e", 1), failing("f", 7))
	a.report(failing("e", 2))
	a.sees(failing("e", 2), failing("f", 7))
	a.report(webhook.State{App: "x", Endpoint: "f"})
	a.sees(failing("e", 2), webhook.State{App: "x", Endpoint: "f"})
	b.sees()
	a.release("x")
	b.same(b.gets("x", "x").States, []webhook.State{failing("e", 2), {App: "x", Endpoint: "f"}})
	a.sees()
}

// A process that has lost the lease changes no state.
func fencesStates(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("x", "x")
	a.report(failing("e", 1))
	a.release("x")
	b.gets("x", "x")
	b.report(failing("e", 2))
	a.report(failing("e", 9), failing("f", 9))
	b.sees(failing("e", 2))
}
