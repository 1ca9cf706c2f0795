package chaos

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chatcast/cmd/chatcast/e2e"
)

// nodeCount is how many nodes the cluster has.
const nodeCount = 3

// node is one `chatcast serve`, which is started again whenever it has ended.
type node struct {
	// static
	index    int
	binary   string
	config   string // path
	log      *os.File
	balancer *balancer
	report   func(violation)

	mu sync.Mutex
	// guarded by mu
	process *os.Process   // nil while it does not run
	up      chan struct{} // closed while it serves
	asked   bool          // its end is wanted
	hold    chan struct{} // not nil: it is not started before this is closed
}

// startNodes starts the cluster and returns when all nodes serve.
func startNodes(t *testing.T, b *balancer, binary string, configs []string, report func(violation)) (nodes [nodeCount]*node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range nodes {
		log, err := os.Create(filepath.Join(t.ArtifactDir(), fmt.Sprintf("node%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		n := &node{index: i, binary: binary, config: configs[i], log: log, balancer: b, report: report, up: make(chan struct{})}
		nodes[i] = n
		running.Go(func() { n.run(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		for _, n := range nodes {
			n.signal(syscall.SIGCONT)
			n.signal(syscall.SIGTERM)
		}
		running.Wait()
		for _, n := range nodes {
			n.log.Close()
		}
	})
	for _, n := range nodes {
		n.await(t)
	}
	return nodes
}

// run runs the process until ctx ends.
func (n *node) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		served, err := n.once(ctx)
		n.mu.Lock()
		asked, hold := n.asked || ctx.Err() != nil, n.hold
		n.asked = false
		n.mu.Unlock()
		if !asked && served { // it does not start without the database
			n.report(violation{failed, fmt.Sprintf("node %d", n.index), fmt.Sprintf("it ended by itself after %v: %v", time.Since(began).Round(time.Millisecond), err)})
		}
		if hold != nil {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
		if !asked { // as a supervisor does
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// once runs the process once, and reports whether it served.
func (n *node) once(ctx context.Context) (served bool, err error) {
	cmd := exec.Command(n.binary, "serve", "--config", n.config)
	cmd.Env, cmd.Stderr = e2e.Environ(), n.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	n.mu.Lock()
	n.process = cmd.Process
	if ctx.Err() != nil {
		_ = cmd.Process.Kill()
	}
	n.mu.Unlock()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "is up: "); ok {
			n.balancer.point(n.index, strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
			n.mu.Lock()
			close(n.up)
			n.mu.Unlock()
		}
	}
	err = cmd.Wait()
	n.balancer.point(n.index, "")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process = nil
	select {
	case <-n.up:
		n.up = make(chan struct{})
		served = true
	default: // it did not come up
	}
	return served, err
}

// signal sends a signal to the process, if it runs.
func (n *node) signal(s syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil {
		_ = n.process.Signal(s) // it may have ended
	}
}

// end ends the process with a signal. It is not started again before release is called.
func (n *node) end(s syscall.Signal) (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	hold := make(chan struct{})
	n.hold = hold
	if n.process != nil {
		n.asked = true
		_ = n.process.Signal(s)
	}
	return sync.OnceFunc(func() {
		n.mu.Lock()
		n.hold = nil
		n.mu.Unlock()
		close(hold)
	})
}

// served returns a channel that is closed while the node serves.
func (n *node) served() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}

// await waits until the node serves.
func (n *node) await(t *testing.T) {
	t.Helper()
	select {
	case <-n.served():
	case <-time.After(patience):
		log, _ := os.ReadFile(n.log.Name())
		t.Fatalf("node %d does not come up:\n%s", n.index, log[max(0, len(log)-4000):])
	}
}
