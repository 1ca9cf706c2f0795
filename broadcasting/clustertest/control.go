package clustertest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// Control tests an implementation of broadcasting.Control. open returns n nodes that
// are not attached yet.
func Control(t *testing.T, open func(t *testing.T, n int) []broadcasting.Control) {
	tests := map[string]func(t *testing.T, nodes []*controlNode){
		"every other node answers":        testSurvey,
		"a node that does not answer":     testSurveyUnanswered,
		"one answer is enough":            testSurveyEnough,
		"the time is over":                testSurveyTooLate,
		"a node that has ended":           testSurveyEnded,
		"many surveys at once":            testSurveysAtOnce,
		"a node may ask while it answers": testSurveyWithin,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var nodes []*controlNode
			for _, c := range open(t, 3) {
				n := &controlNode{Control: c}
				n.answer = func(context.Context, broadcasting.Order) broadcasting.Answer { return broadcasting.Answer{} }
				c.Attach(n.handle)
				nodes = append(nodes, n)
			}
			for _, n := range nodes {
				n.stop = run(t, n)
			}
			test(t, nodes)
		})
	}
	t.Run("a node that is alone", func(t *testing.T) {
		c := open(t, 1)[0]
		c.Attach(func(context.Context, broadcasting.Order) broadcasting.Answer {
			t.Error("it asks itself")
			return broadcasting.Answer{}
		})
		run(t, c)
		if answers, err := c.Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderDisconnect}, nil); len(answers) > 0 || err != nil {
			t.Errorf("%v, %v", answers, err)
		}
	})
}

// controlNode is a node that records the orders it is given.
type controlNode struct {
	broadcasting.Control
	stop   func()
	answer func(ctx context.Context, o broadcasting.Order) broadcasting.Answer // set before any survey

	mu    sync.Mutex
	asked []broadcasting.Order // guarded by mu
}

func (n *controlNode) handle(ctx context.Context, o broadcasting.Order) broadcasting.Answer {
	n.mu.Lock()
	n.asked = append(n.asked, o)
	n.mu.Unlock()
	return n.answer(ctx, o)
}

func (n *controlNode) orders() []broadcasting.Order {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

func testSurvey(t *testing.T, nodes []*controlNode) {
	order := broadcasting.Order{
		Kind: broadcasting.OrderUnsubscribe, App: "a", SocketID: "1.2", UserID: "ü\n",
		Session: 1<<62 + 1, Until: 1767000000123, Channels: []string{"private-a", strings.Repeat("b", 200)}, Data: `{"user_id":"ü"}`,
	}
	for i, n := range nodes {
		n.answer = func(context.Context, broadcasting.Order) broadcasting.Answer {
			return broadcasting.Answer{Found: i == 2, Refused: i == 2, Sockets: i}
		}
	}
	answers, err := nodes[0].Survey(t.Context(), order, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, sockets := 0, 0
	for _, a := range answers {
		sockets += a.Sockets
		if a.Found && a.Refused {
			found++
		}
	}
	if len(answers) != 2 || found != 1 || sockets != 3 {
		t.Errorf("answers %+v", answers)
	}
	for i, n := range nodes {
		switch asked := n.orders(); {
		case i == 0 && len(asked) > 0:
			t.Error("the node asked itself")
		case i > 0 && (len(asked) != 1 || !reflect.DeepEqual(asked[0], order)):
			t.Errorf("node %d was asked %+v", i, asked)
		}
	}
}

// testSurveyUnanswered tests that a survey ends with its context and returns the
// answers that have come.
func testSurveyUnanswered(t *testing.T, nodes []*controlNode) {
	ended := make(chan struct{})
	nodes[1].answer = func(ctx context.Context, _ broadcasting.Order) broadcasting.Answer {
		select {
		case <-ctx.Done(): // the asking node no longer waits
		case <-time.After(testwait.Long):
			t.Error("the order's context does not end with the question")
		}
		<-ended
		return broadcasting.Answer{}
	}
	nodes[2].answer = func(context.Context, broadcasting.Order) broadcasting.Answer { return broadcasting.Answer{Sockets: 5} }
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
	defer cancel()
	answers, err := nodes[0].Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderTerminate, App: "1", UserID: "7"}, func(broadcasting.Answer) bool {
		cancel() // the first answer has come; the other never does
		return false
	})
	close(ended)
	if !errors.Is(err, broadcasting.ErrUnanswered) || len(answers) != 1 || answers[0].Sockets != 5 {
		t.Errorf("%v, %v", answers, err)
	}
}

// testSurveyEnough tests that one sufficient answer ends a survey, however slow the
// others are.
func testSurveyEnough(t *testing.T, nodes []*controlNode) {
	release := make(chan struct{})
	defer close(release)
	nodes[1].answer = func(context.Context, broadcasting.Order) broadcasting.Answer {
		<-release
		return broadcasting.Answer{}
	}
	nodes[2].answer = func(context.Context, broadcasting.Order) broadcasting.Answer { return broadcasting.Answer{Found: true} }
	answers, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderGrant}, func(a broadcasting.Answer) bool { return a.Found })
	if err != nil || len(answers) != 1 || !answers[0].Found {
		t.Errorf("%v, %v", answers, err)
	}
}

// testSurveyTooLate tests that an order whose time is over is not carried out.
func testSurveyTooLate(t *testing.T, nodes []*controlNode) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if answers, err := nodes[0].Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderGrant}, nil); !errors.Is(err, broadcasting.ErrUnanswered) || len(answers) > 0 {
		t.Errorf("%v, %v", answers, err)
	}
	if _, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderAppsChanged}, nil); err != nil {
		t.Error(err)
	}
	for i, n := range nodes[1:] {
		if asked := n.orders(); len(asked) != 1 {
			t.Errorf("node %d was asked %+v", i+1, asked)
		}
	}
}

func testSurveyEnded(t *testing.T, nodes []*controlNode) {
	nodes[1].stop()
	answers, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderAppsChanged}, nil)
	if len(answers) != 1 || err != nil {
		t.Errorf("%v, %v", answers, err)
	}
	if asked := nodes[1].orders(); len(asked) > 0 {
		t.Errorf("the node that has ended was asked %+v", asked)
	}
}

func testSurveysAtOnce(t *testing.T, nodes []*controlNode) {
	for _, n := range nodes {
		n.answer = func(_ context.Context, o broadcasting.Order) broadcasting.Answer {
			return broadcasting.Answer{Sockets: len(o.UserID)}
		}
	}
	var group sync.WaitGroup
	for _, n := range nodes {
		for length := range 20 {
			group.Go(func() {
				answers, err := n.Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: strings.Repeat("u", length)}, nil)
				if err != nil || len(answers) != 2 || answers[0].Sockets != length || answers[1].Sockets != length {
					t.Errorf("of %d: %+v, %v", length, answers, err)
				}
			})
		}
	}
	group.Wait()
}

func testSurveyWithin(t *testing.T, nodes []*controlNode) {
	nodes[1].answer = func(ctx context.Context, o broadcasting.Order) broadcasting.Answer {
		if o.Kind != broadcasting.OrderTerminate {
			return broadcasting.Answer{}
		}
		answers, err := nodes[1].Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderDisconnect, UserID: "7"}, nil)
		if err != nil {
			t.Errorf("within: %v", err)
		}
		return broadcasting.Answer{Sockets: len(answers)}
	}
	answers, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, App: "1"}, nil)
	if err != nil || len(answers) != 2 || answers[0].Sockets+answers[1].Sockets != 2 {
		t.Errorf("%+v, %v", answers, err)
	}
}
