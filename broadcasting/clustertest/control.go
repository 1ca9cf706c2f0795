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

// Control tests controls. open returns n nodes that nobody has attached yet.
func Control(t *testing.T, open func(t *testing.T, n int) []broadcasting.Control) {
	tests := map[string]func(t *testing.T, nodes []*controlNode){
		"every other node answers":        testSurvey,
		"a node that does not answer":     testSurveyUnanswered,
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
		if answers, err := c.Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderDisconnect}); len(answers) > 0 || err != nil {
			t.Errorf("%v, %v", answers, err)
		}
	})
}

// controlNode is a node that writes down what it is asked.
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
		Channels: []string{"private-a", strings.Repeat("b", 200)},
	}
	for i, n := range nodes {
		n.answer = func(context.Context, broadcasting.Order) broadcasting.Answer {
			return broadcasting.Answer{Found: i == 2, Sockets: i}
		}
	}
	answers, err := nodes[0].Survey(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	found, sockets := 0, 0
	for _, a := range answers {
		sockets += a.Sockets
		if a.Found {
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

// testSurveyUnanswered: what others have answered is not lost, and the question ends
// with its context.
func testSurveyUnanswered(t *testing.T, nodes []*controlNode) {
	release := make(chan struct{})
	defer close(release)
	nodes[1].answer = func(context.Context, broadcasting.Order) broadcasting.Answer {
		<-release
		return broadcasting.Answer{}
	}
	answered := make(chan struct{})
	nodes[2].answer = func(context.Context, broadcasting.Order) broadcasting.Answer {
		defer close(answered)
		return broadcasting.Answer{Sockets: 5}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
	defer cancel()
	go func() {
		<-answered
		// The answer is under way; a moment later the time is over.
		time.AfterFunc(100*time.Millisecond, cancel)
	}()
	answers, err := nodes[0].Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderTerminate, App: "1", UserID: "7"})
	if !errors.Is(err, broadcasting.ErrUnanswered) || len(answers) > 1 {
		t.Errorf("%v, %v", answers, err)
	}
}

func testSurveyEnded(t *testing.T, nodes []*controlNode) {
	nodes[1].stop()
	answers, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderAppsChanged})
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
				answers, err := n.Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: strings.Repeat("u", length)})
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
		if o.Kind != broadcasting.OrderRemoveApp {
			return broadcasting.Answer{}
		}
		answers, err := nodes[1].Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderDisconnect, UserID: "7"})
		if err != nil {
			t.Errorf("within: %v", err)
		}
		return broadcasting.Answer{Sockets: len(answers)}
	}
	answers, err := nodes[0].Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderRemoveApp, App: "1"})
	if err != nil || len(answers) != 2 || answers[0].Sockets+answers[1].Sockets != 2 {
		t.Errorf("%+v, %v", answers, err)
	}
}
