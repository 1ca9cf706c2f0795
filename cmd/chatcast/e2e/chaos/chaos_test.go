package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting/redis/redistest"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// Values of the configuration that all nodes have.
const (
	crmKey          = "ChatsAppApiProdKey"
	appKey          = "chaos"
	appSecret       = "a secret of the tests"
	telegramChannel = "private-v1.licenses.1229.messengers.telegram"
)

// TestChaos lets a cluster of three nodes, their database, their clients' sockets and the
// receivers of their webhooks break for a while. Then all is mended, and everything that
// was committed must have come to everyone, once and in order, and every member of a
// presence channel must be shown where it is there, and nowhere else.
func TestChaos(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())%1_000_000 + 1
	}
	w := newWorld(t, seed)
	plans := schedule(seed, *timeFlag, *busFlag)
	t.Logf("seed %d, bus %s, %v of faults:\n%s", seed, *busFlag, *timeFlag, lines(plans))
	w.start()
	w.suffer(plans)
	w.settle()
	w.verify()
	w.print()
}

func lines[T fmt.Stringer](list []T) string {
	var b strings.Builder
	for _, v := range list {
		b.WriteString("\t" + v.String() + "\n")
	}
	return b.String()
}

// world is the cluster with all that is around it.
type world struct {
	// static
	t         *testing.T
	seed      uint64
	database  string
	bus       string            // bus.url
	redis     *redistest.Server // if the bus is Redis
	proxies   [nodeCount]*testdb.Proxy
	balancer  *balancer
	nodes     [nodeCount]*node
	token     string
	begin     int64 // the last event before the run
	clients   []*crmClient
	pages     []*page
	members   []*member
	receivers []*receiver
	began     time.Time
	calm      context.Context // ends when the faults end
	beCalm    context.CancelFunc
	ctx       context.Context // ends with the run
	running   sync.WaitGroup
	writing   sync.WaitGroup
	refused   atomic.Int64 // requests of writers that failed

	mu sync.Mutex
	// guarded by mu
	acknowledged map[string]time.Time
	answers      map[string]string   // to those
	heard        map[int64]time.Time // when the first client that resumes got an event
	violations   []violation
	disturbances []disturbance
	slowestGhost time.Duration
	journal      []entry
	hooks        []hookRow
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, balancer: newBalancer(t), acknowledged: map[string]time.Time{}, answers: map[string]string{}, heard: map[int64]time.Time{},
	}
	w.database = testdb.PostgresURL(t)
	switch w.bus = "postgres:"; *busFlag {
	case "postgres":
	case "redis":
		w.redis = redistest.Start(t)
		w.bus = w.redis.URL()
	default:
		t.Fatalf("-chaos.bus is %q, not postgres or redis", *busFlag)
	}
	w.prepare()
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx = ctx
	w.calm, w.beCalm = context.WithCancel(ctx)
	t.Cleanup(func() {
		cancel()
		w.running.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

// prepare makes the database keep what it has committed when it is killed, and what was
// committed for webhooks.
func (w *world) prepare() {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(w.t.Context())
	_, err = conn.Exec(w.t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$")
	if err == nil {
		_, err = conn.Exec(w.t.Context(), keepHooks)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) report(v violation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, v)
}

// start starts the nodes, and then everyone who uses them.
func (w *world) start() {
	w.t.Helper()
	w.receivers = []*receiver{
		{name: "receiver of WhatsApp", channel: e2e.LineChannel, fails: 8, hangs: 1, lies: 4},
		{name: "receiver of Telegram", channel: telegramChannel, fails: 100, hangs: 10, lies: 30},
		{name: "receiver of the app", secret: appSecret, fails: 100, hangs: 10, lies: 0},
	}
	for i, r := range w.receivers {
		r.start(w.t, w.seed+uint64(i))
	}
	w.nodes = startNodes(w.t, w.balancer, e2e.BuildBinary(w.t), w.configure(), w.report)
	owner := (&e2e.Running{Base: "http://" + w.balancer.address()}).SignIn(w.t)
	w.token, w.begin = owner.Token, owner.LastEventID()
	owner.Must("PUT", e2e.WhatsAppPath+"/callbackUrl", map[string]any{"url": w.receivers[0].server.URL}, nil)
	owner.Must("PUT", e2e.TelegramPath+"/callbackUrl", map[string]any{"url": w.receivers[1].server.URL}, nil)
	for i := range 6 {
		c := &crmClient{balancer: w.balancer, token: w.token, last: w.begin, slow: i == 1}
		c.stream = stream{name: fmt.Sprintf("client %d", i), channel: e2e.LineChannel, resumes: i < 4, begin: w.begin}
		if i == 0 {
			c.heard = w.noteHeard
		}
		if i == 3 {
			c.stream.channel = telegramChannel
		}
		w.clients = append(w.clients, c)
		w.running.Go(func() {
			if err := c.run(w.ctx); err != nil {
				w.report(violation{failed, c.stream.name, err.Error()})
			}
		})
	}
	w.pages = openPages(w)
	for i := range 12 {
		m := &member{
			balancer: w.balancer, user: fmt.Sprintf("user%d", i), random: rand.New(rand.NewPCG(w.seed, uint64(100+i))), stays: i < 4,
			limbo: map[string]time.Time{},
		}
		w.members = append(w.members, m)
		w.running.Go(func() { m.run(w.ctx, w.calm) })
	}
	w.began = time.Now()
	for i := range 4 {
		w.writing.Go(func() { w.write(i) })
	}
}

func (w *world) noteHeard(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard[id] = time.Now()
}

// write posts messages until it is calm, each until it is acknowledged. Three of four
// writers write much on the WhatsApp line.
func (w *world) write(writer int) {
	line, every := e2e.WhatsAppPath, 50*time.Millisecond
	if writer == 3 {
		line, every = e2e.TelegramPath, 500*time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-w.calm.Done():
			return
		}
		id := fmt.Sprintf("chaos-%d-%d", writer, n)
		body := e2e.Inbound(id, fmt.Sprintf("7999000%d", writer), "Hello "+id)
		tries := 1
		for began := time.Now(); w.ctx.Err() == nil && time.Since(began) < patience; {
			status, answer, err := call(w.ctx, w.balancer, w.token, "POST", line+"/inbound", body)
			if err == nil && status == http.StatusOK {
				w.mu.Lock()
				w.acknowledged[id], w.answers[id] = time.Now(), fmt.Sprintf("%s after %d tries", answer, tries)
				w.mu.Unlock()
				break
			}
			w.refused.Add(1)
			tries++
			rest(w.ctx, 100*time.Millisecond)
		}
	}
}
