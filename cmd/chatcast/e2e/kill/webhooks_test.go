package kill

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pusher/pusher-http-go/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/app"
	"chatcast/models"
	"chatcast/models/testdb"
)

// Environment variables of a process that is to be killed.
const (
	dyingHooksURL    = "CHATCAST_TEST_DYING_HOOKS_DATABASE"
	dyingHooksTarget = "CHATCAST_TEST_DYING_HOOKS_TARGET"
	dyingHooksFrom   = "CHATCAST_TEST_DYING_HOOKS_FROM"
)

const hooksSecret = "a secret of the tests"

func hooksOptions(store webhook.Store, target string) webhook.Options {
	return webhook.Options{
		Store: store, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), AllowPrivate: true,
		Apps:        []apps.App{{ID: "1", Key: "key", Secret: hooksSecret, Webhooks: []apps.Webhook{{URL: target}}}},
		ReturnGrace: 500 * time.Millisecond,
		Lease:       5 * time.Second, // the next process waits until the killed one's lease ends
	}
}

// dyingHooks records webhook events of channels, and of numbers without end, until it is
// killed. It prints the last committed number. Its input ends when its parent dies
// without killing it.
func dyingHooks() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	ctx := context.Background()
	die := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	store, err := models.Open(ctx, os.Getenv(dyingHooksURL))
	if err != nil {
		die(err)
	}
	next, err := strconv.Atoi(os.Getenv(dyingHooksFrom))
	if err != nil {
		die(err)
	}
	talking := &talkingStore{Store: app.NewWebhookStore(store), committed: next}
	hooks, err := webhook.New(ctx, hooksOptions(talking, os.Getenv(dyingHooksTarget)))
	if err != nil {
		die(err)
	}
	for _, channel := range []string{"presence-returns", "presence-\x00\xff'"} {
		hooks.Record(broadcasting.ChannelEvent{Kind: broadcasting.Occupied, App: "1", Channel: channel})
		hooks.Record(broadcasting.ChannelEvent{Kind: broadcasting.MemberAdded, App: "1", Channel: channel, UserID: "a\x00\xff'" + channel})
	}
	talking.more = func() {
		for range 10 {
			hooks.Record(broadcasting.ChannelEvent{Kind: broadcasting.ClientSent, App: "1", Channel: "private-n", Data: strconv.Itoa(next)})
			next++
		}
	}
	talking.more()
	die(hooks.Run(ctx))
}

// talkingStore prints how many numbers are committed, and records more after each.
type talkingStore struct {
	webhook.Store
	committed int
	more      func()
}

func (s *talkingStore) Commit(ctx context.Context, owner string, b *webhook.Batch) error {
	if err := s.Store.Commit(ctx, owner, b); err != nil {
		return err
	}
	for _, d := range b.New {
		s.committed += strings.Count(d.Events, "client_event")
	}
	fmt.Println(s.committed)
	s.more()
	return nil
}

// numbersReceiver is the backend. It outlives the processes that post to it.
type numbersReceiver struct {
	t *testing.T

	mu    sync.Mutex
	hang  chan struct{} // closed, and then nil, when a POST arrives that is not answered
	lost  bool          // that POST is accepted, but its answer is lost
	taken []pusher.WebhookEvent
	more  chan struct{} // holds one
}

func (r *numbersReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was killed
	}
	hook, err := (&pusher.Client{Key: "key", Secret: hooksSecret}).Webhook(req.Header, body)
	if err != nil {
		r.t.Errorf("no valid webhook: %v: %s", err, body)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hang != nil && len(r.taken) > 50 {
		close(r.hang)
		r.hang = nil
		if r.lost {
			r.taken = append(r.taken, hook.Events...)
		}
		r.mu.Unlock()
		<-req.Context().Done()
		r.mu.Lock()
		return
	}
	r.taken = append(r.taken, hook.Events...)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *numbersReceiver) events() []pusher.WebhookEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// numbers returns the received numbers, each once, in the order of their first arrival,
// and how many arrived again.
func (r *numbersReceiver) numbers() (first []int, again int) {
	seen := map[int]bool{}
	for _, e := range r.events() {
		if e.Name != "client_event" {
			continue
		}
		n, err := strconv.Atoi(e.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		if seen[n] {
			again++
			continue
		}
		seen[n] = true
		first = append(first, n)
	}
	return first, again
}

// TestKilledWebhooks kills a process during a POST, twice, the second time during one
// that the backend accepts. Then it checks that committed events arrived in order, that
// announced subjects that did not return are reported gone, and that those that returned
// are not announced again.
func TestKilledWebhooks(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel() // most of its time it waits for the leases of the killed
		r := &numbersReceiver{t: t, more: make(chan struct{}, 1)}
		server := httptest.NewServer(r)
		defer server.Close()
		committed := 0
		for _, lost := range []bool{false, true} {
			r.mu.Lock()
			hanging := make(chan struct{})
			r.hang, r.lost = hanging, lost
			r.mu.Unlock()
			committed = killHooks(t, url, server.URL, committed, hanging)
		}
		store := testdb.Open(t, url)
		hooks, err := webhook.New(t.Context(), hooksOptions(app.NewWebhookStore(store), server.URL))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		hooks.Record(broadcasting.ChannelEvent{Kind: broadcasting.Occupied, App: "1", Channel: "presence-returns"})
		go func() { ended <- hooks.Run(ctx) }()
		gone := func() (lines []string) {
			for _, e := range r.events() {
				if e.Name == "channel_vacated" || e.Name == "member_removed" {
					lines = append(lines, e.Name+" "+strconv.QuoteToASCII(e.Channel))
				}
			}
			return lines
		}
		for deadline := time.After(testwait.Long); len(gone()) < 3; {
			select {
			case <-r.more:
			case <-deadline:
				t.Fatalf("told to be gone are %q", gone())
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		lines := gone()
		slices.Sort(lines)
		if want := []string{`channel_vacated "presence-\x00\ufffd'"`, `member_removed "presence-\x00\ufffd'"`, `member_removed "presence-returns"`}; !slices.Equal(lines, want) {
			t.Errorf("told to be gone are %q, want %q", lines, want)
		}
		checkNumbers(t, r, committed)
		told := 0
		for _, e := range r.events() {
			if e.Name == "channel_occupied" && e.Channel == "presence-returns" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("a channel that came back after each kill was told as occupied %d times", told)
		}
	})
}

func checkNumbers(t *testing.T, r *numbersReceiver, committed int) {
	t.Helper()
	got, again := r.numbers()
	if len(got) < committed {
		t.Errorf("%d numbers came, %d were committed", len(got), committed)
	}
	for i, n := range got {
		if n != i {
			t.Fatalf("%d comes when %d is next", n, i)
		}
	}
	if again == 0 {
		t.Error("what was taken, and whose answer was lost, did not come again")
	}
}

// killHooks runs dyingHooks and kills it with SIGKILL when a POST hangs and more events
// are committed behind it. It returns how many numbers are committed.
func killHooks(t *testing.T, url, target string, from int, hanging <-chan struct{}) (committed int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dyingHooksURL+"="+url, dyingHooksTarget+"="+target, dyingHooksFrom+"="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	behind := 0
	lines := bufio.NewScanner(stdout)
	for behind < 3 && lines.Scan() {
		if committed, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-hanging:
			behind++
		default:
		}
	}
	killErr := cmd.Process.Kill()
	for lines.Scan() { // the rest of its output
		if committed, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // "signal: killed"
	if behind < 3 || killErr != nil {
		t.Fatalf("the process ended at %d by itself; kill: %v", committed, killErr)
	}
	return committed
}
