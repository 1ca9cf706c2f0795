package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

const companyStream = "/v1/events/stream?channel=private-v1.companies.2224"

// streaming is a server with streams over real connections, without a relay.
type streaming struct {
	*crmtest.World
	*httptest.Server
	engine  *broadcasting.Engine
	streams *api.EventStreams
}

func newStreaming(t testing.TB, o api.EventStreamOptions) *streaming {
	t.Helper()
	s := &streaming{World: crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t))), engine: broadcasting.NewEngine(broadcasting.Options{})}
	o.Engine, o.App = s.engine, "1"
	s.streams = api.NewEventStreams(o)
	log := slog.New(slog.DiscardHandler)
	router, err := server.NewRouter(server.RouterOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	(&api.API{CRM: s.World.Service, Log: log, Node: node, Streams: s.streams}).Register(router)
	s.Server = httptest.NewUnstartedServer(apitest.Documented(t, router, nil))
	s.Server.Listener = narrow{s.Server.Listener}
	s.Server.Start()
	t.Cleanup(s.Server.Close)
	return s
}

// narrow is a listener whose connections have small buffers.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

// dial opens a stream on a connection of its own, and returns when its beginning is there.
func (s *streaming) dial(t testing.TB, path, token string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	if err := conn.SetDeadline(time.Now().Add(testwait.Long)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: test\r\nAuthorization: "+token+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(conn, 1<<10)
	for line := ""; !strings.HasPrefix(line, "id: "); {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return conn, r
}

// publish numbers what waits in the journal, and wakes the streams of the channel.
func (s *streaming) publish(t testing.TB, channel string) {
	t.Helper()
	n, err := s.Journal.Number(t.Context(), 1000)
	if err == nil {
		err = s.engine.Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Name: "any", Data: "{}", Seq: int64(n)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// hire adds an admin to the company and returns an access token of theirs.
func (s *streaming) hire(t testing.TB, id int64) string {
	t.Helper()
	email := fmt.Sprintf("%d@people.test", id)
	s.Tx(t, func(tx *models.Tx) error {
		return tx.Insert(&models.User{ID: id, Email: email, Name: "Ann", PasswordHash: "none", CreatedAt: crmtest.Start},
			&models.Employee{CompanyID: crmtest.CompanyID, UserID: id, Role: models.RoleAdmin, Workday: "end", CreatedAt: crmtest.Start})
	})
	s.Clock.Set(time.Now().Unix()) // the engine ends what has expired by the machine's clock
	pair, err := s.IssueToken(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return pair.AccessToken
}

// TestEventStreamHeartbeat checks that a silent stream sends comments, so that no proxy cuts
// it, and that its client learns in time how far the journal has grown without it.
func TestEventStreamHeartbeat(t *testing.T) {
	s := newStreaming(t, api.EventStreamOptions{Heartbeat: time.Millisecond})
	_, r := s.dial(t, "/v1/events/stream?channel=private-v1.users.687", s.Token(s.Operator))
	if _, err := s.Workday(t.Context(), s.Owner, crmtest.CompanyID, s.Operator.UserID, "start"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Journal.Number(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	for beats := 0; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		switch strings.TrimSpace(line) {
		case ":":
			beats++
		case "id: 1":
			if beats == 0 {
				t.Error("no heartbeat came before")
			}
			return
		}
	}
}

// TestEventStreamCutsStalledReaders lets a client take nothing: it is cut, and holds up
// nobody.
func TestEventStreamCutsStalledReaders(t *testing.T) {
	s := newStreaming(t, api.EventStreamOptions{WriteTimeout: 50 * time.Millisecond})
	chat := crm.InboundChat{ID: crm.MakeID("telegram", "12345")}
	for i := range 200 {
		said := []crm.InboundMessage{{ID: crm.MakeID("telegram", strconv.Itoa(i)), Chat: chat, Message: crm.Content{Text: strings.Repeat("long ", 700)}}}
		if _, err := s.IngestAs(t.Context(), s.Owner, crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}, crm.InboundRequest{Messages: said}); err != nil {
			t.Fatal(err)
		}
	}
	s.publish(t, "any")
	const line = "/v1/events/stream?channel=private-v1.licenses.1229.messengers.telegram&after=0"
	s.dial(t, line, s.Token(s.Owner))
	testwait.Count(t, "streams that were cut", 1, func() int { return int(s.streams.Stats().Ended[api.StreamSlow]) })
	if open := s.streams.Stats().Open; open != 0 {
		t.Errorf("%d streams are open", open)
	}
}

// TestEventStreamsOfOneUserAreFew opens as many streams as one user may have.
func TestEventStreamsOfOneUserAreFew(t *testing.T) {
	s := newStreaming(t, api.EventStreamOptions{})
	status := func(token string) int {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL+companyStream, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		res, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	first, _ := s.dial(t, companyStream, s.Token(s.Operator))
	for range api.MaxEventStreams - 1 {
		s.dial(t, companyStream, s.Token(s.Operator))
	}
	if got := status(s.Token(s.Operator)); got != http.StatusTooManyRequests {
		t.Errorf("one more: %d", got)
	}
	if got := status(s.Token(s.Owner)); got != http.StatusOK {
		t.Errorf("somebody else: %d", got)
	}
	first.Close()
	testwait.Count(t, "streams that have left", 2, func() int { return int(s.streams.Stats().Ended[api.StreamClientGone]) })
	if got := status(s.Token(s.Operator)); got != http.StatusOK {
		t.Errorf("when one has left: %d", got)
	}
}

// BenchmarkIdleEventStreams opens a thousand streams and measures the memory of each, the
// client's end included, and how long an event takes until all of them have it.
func BenchmarkIdleEventStreams(b *testing.B) {
	const n = 1000
	s := newStreaming(b, api.EventStreamOptions{})
	var tokens []string
	for id := int64(5000); len(tokens)*api.MaxEventStreams < n; id++ {
		tokens = append(tokens, s.hire(b, id))
	}
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	readers := make([]*bufio.Reader, n)
	for i := range readers {
		_, readers[i] = s.dial(b, companyStream, tokens[i%len(tokens)])
	}
	each := float64(used()-before) / n
	for b.Loop() {
		if _, err := s.Workday(b.Context(), s.Owner, crmtest.CompanyID, s.Operator.UserID, "start"); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Workday(b.Context(), s.Owner, crmtest.CompanyID, s.Operator.UserID, "end"); err != nil {
			b.Fatal(err)
		}
		s.publish(b, "private-v1.companies.2224")
		for _, r := range readers {
			for line, events := "", 0; events < 2; {
				var err error
				if line, err = r.ReadString('\n'); err != nil {
					b.Fatal(err)
				}
				if strings.HasPrefix(line, "data: ") {
					events++
				}
			}
		}
	}
	b.ReportMetric(each, "B/stream")
}
