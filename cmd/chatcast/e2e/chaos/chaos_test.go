package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting/redis/redistest"
	"chatcast/channels/testwait"
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
	w.durable()
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

// durable makes the database keep what it has committed when it is killed.
func (w *world) durable() {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(w.t.Context())
	_, err = conn.Exec(w.t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$")
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
		{name: "receiver of WhatsApp", channel: e2e.LineChannel, fails: 20, hangs: 1, lies: 10},
		{name: "receiver of Telegram", channel: telegramChannel, fails: 100, hangs: 10, lies: 30},
		{name: "receiver of the app", fails: 100, hangs: 10, lies: 0},
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

// settle waits until everyone has what was committed.
func (w *world) settle() {
	w.t.Helper()
	w.beCalm()
	w.writing.Wait()
	w.journal = w.read()
	behind := func() (who []string) {
		for _, c := range w.clients {
			if want := ofChannel(w.journal, c.stream.channel); c.stream.resumes && c.at() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", c.stream.name, c.at(), want[len(want)-1]))
			}
		}
		for _, p := range w.pages {
			if want := ofChannel(w.journal, p.stream.channel); p.at() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", p.stream.name, p.at(), want[len(want)-1]))
			}
		}
		for _, r := range w.receivers[:2] {
			if want := ofChannel(w.journal, r.channel); r.highest() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", r.name, r.highest(), want[len(want)-1]))
			}
		}
		return who
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(patience)
	for who := behind(); len(who) > 0 && time.Now().Before(end); who = behind() {
		<-tick.C
	}
	for _, who := range behind() {
		w.report(violation{lost, who, fmt.Sprintf("after %v", patience)})
	}
	w.settleMembers(tick.C)
	w.journal = w.read()
}

// settleMembers waits until all members are there, and shown everywhere.
func (w *world) settleMembers(tick <-chan time.Time) {
	end := time.Now().Add(presenceBound + activityTimeout + pongTimeout)
	for {
		wrong := ""
		for _, m := range w.members {
			if shown, there := m.shown(); !there || len(shown) != len(w.members) {
				wrong = fmt.Sprintf("%s is there: %v, and shown %d of %d members", m.user, there, len(shown), len(w.members))
			}
		}
		if wrong == "" {
			return
		}
		if time.Now().After(end) {
			w.report(violation{missing, "at the end", wrong})
			return
		}
		<-tick
	}
}

// presenceBound is within which the nodes must agree: a lease of 6 s, the beat that renews
// it, a round, and what a busy machine takes.
var presenceBound = 8*time.Second + testwait.Scaled(2*time.Second)

// verify checks everything.
func (w *world) verify() {
	var streams []stream
	for _, c := range w.clients {
		streams = append(streams, c.received())
	}
	for _, p := range w.pages {
		streams = append(streams, p.received())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, checkJournal(w.journal, w.acknowledged, w.answers)...)
	for _, s := range streams {
		w.violations = append(w.violations, checkStream(w.journal, &s)...)
	}
	for _, r := range w.receivers[:2] {
		w.violations = append(w.violations, checkReceiver(w.journal, r.name, r.channel, w.begin, r.got())...)
	}
	run := presenceRun{disturbances: w.disturbances, bound: presenceBound, keepalive: activityTimeout + pongTimeout + 2*time.Second}
	for _, m := range w.members {
		sockets, observers := m.record()
		run.sockets = append(run.sockets, sockets...)
		run.observers = append(run.observers, observers...)
	}
	list, slowest := run.check()
	w.violations, w.slowestGhost = append(w.violations, list...), slowest
}

// read reads the journal from the database.
func (w *world) read() (journal []entry) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(w.t.Context())
	wait := time.NewTicker(50 * time.Millisecond)
	defer wait.Stop()
	for end := time.Now().Add(patience); ; <-wait.C { // until all have numbers
		var open int
		if err := conn.QueryRow(w.t.Context(), "SELECT count(*) FROM journal WHERE seq IS NULL").Scan(&open); err != nil {
			w.t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if time.Now().After(end) {
			w.report(violation{numbering, "journal", fmt.Sprintf("%d entries get no number", open)})
			break
		}
	}
	rows, err := conn.Query(w.t.Context(), `
		SELECT seq, ARRAY(SELECT json_array_elements_text(channels::json)),
			CASE WHEN name = 'message' THEN COALESCE(data::json #>> '{payload,data,0,id}', '') ELSE '' END
		FROM journal WHERE seq IS NOT NULL ORDER BY seq`)
	if err != nil {
		w.t.Fatal(err)
	}
	journal, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e entry, err error) {
		return e, row.Scan(&e.seq, &e.channels, &e.message)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return journal
}

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

// print prints what happened, and fails the test if a promise was broken.
func (w *world) print() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var took []time.Duration
	for _, e := range w.journal {
		at, acknowledged := w.acknowledged[e.message]
		if heard, ok := w.heard[e.seq]; ok && acknowledged {
			took = append(took, max(0, heard.Sub(at)))
		}
	}
	slices.Sort(took)
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, bus %s, %v\n", w.seed, *busFlag, time.Since(w.began).Round(time.Second))
	counts := map[fault]int{}
	for _, d := range w.disturbances {
		counts[d.what]++
	}
	fmt.Fprintf(&b, "faults of nodes and the database: %v\n", counts)
	fmt.Fprintf(&b, "committed: %d events, %d messages acknowledged, %d requests refused and sent again\n", len(w.journal), len(w.acknowledged), w.refused.Load())
	if n := len(took); n > 0 {
		fmt.Fprintf(&b, "from the acknowledgement to a client that resumes: p50 %v, p99 %v, worst %v\n", took[n/2], took[n*99/100], took[n-1])
	}
	for _, c := range w.clients {
		s := c.received()
		fmt.Fprintf(&b, "%s: %d events on %d sockets\n", s.name, s.received(), len(s.sockets))
	}
	for _, p := range w.pages {
		s := p.received()
		fmt.Fprintf(&b, "%s: %d events on %d sockets\n", s.name, s.received(), len(s.sockets))
	}
	for _, r := range w.receivers {
		r.mu.Lock()
		fmt.Fprintf(&b, "%s: %v\n", r.name, r.calls)
		r.mu.Unlock()
	}
	sockets := 0
	for _, m := range w.members {
		list, _ := m.record()
		sockets += len(list)
	}
	fmt.Fprintf(&b, "presence: %d sockets of %d users; a member who had gone was shown for %v at most (bound %v)\n",
		sockets, len(w.members), w.slowestGhost.Round(time.Millisecond), presenceBound)
	kinds := map[string]int{}
	for _, v := range w.violations {
		kinds[v.kind]++
	}
	fmt.Fprintf(&b, "violations: %d %v\n", len(w.violations), kinds)
	w.t.Log(b.String())
	if n := len(w.violations); n > 0 {
		w.t.Errorf("%d violations; make chaos SEED=%d has the same schedule. The first ones:\n%s", n, w.seed, lines(w.violations[:min(n, 30)]))
	}
}
