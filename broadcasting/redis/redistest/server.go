// Package redistest starts servers of Redis for tests, on free ports of this machine. The
// package is only for tests.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// Server is a server of Redis, or a Sentinel.
type Server struct {
	Port int

	t       testing.TB
	program string
	args    []string
	cli     []string // arguments of redis-cli that reach the server
	command *exec.Cmd
	exited  <-chan struct{}
	output  bytes.Buffer // to be read after exited
}

// program returns the path of a program. It leaves the test out where there is none, and
// fails it in CI.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed: CI gets it by .ci/setup", name)
	default:
		t.Skipf("%s is not installed; make setup gets it (Debian's package redis-server)", name)
	}
	return ""
}

// Start starts a server that keeps nothing on disk, with more arguments.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	port := freePort(t)
	return start(t, port, append([]string{"--port", strconv.Itoa(port)}, args...), "-p", strconv.Itoa(port))
}

func start(t testing.TB, port int, args []string, cli ...string) *Server {
	t.Helper()
	s := &Server{Port: port, t: t, program: program(t, "redis-server"), cli: append([]string{"-h", "127.0.0.1"}, cli...)}
	dir := t.TempDir()
	if len(args) > 0 && strings.HasPrefix(args[0], "--") {
		args = append(args, "--dir", dir, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	}
	s.args = args
	s.launch()
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	return s
}

// Addr returns the address of the server.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL returns the URL of the server.
func (s *Server) URL() string { return "redis://" + s.Addr() }

func (s *Server) launch() {
	s.t.Helper()
	cmd := exec.Command(s.program, s.args...)
	s.output.Reset()
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	exited, err := testwait.Start(cmd, syscall.SIGKILL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.command, s.exited = cmd, exited
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); ; {
		if out, err := s.try("PING"); err == nil && (strings.Contains(out, "PONG") || strings.Contains(out, "NOAUTH") || strings.Contains(out, "NOPERM")) {
			return
		}
		select {
		case <-s.exited:
			s.t.Fatalf("redis-server ended:\n%s", s.output.String())
		case <-tick.C:
		}
		if time.Now().After(end) {
			s.t.Fatal("redis-server does not answer")
		}
	}
}

// end ends the server. A server that is paused ends too.
func (s *Server) end(signal syscall.Signal) {
	_ = s.command.Process.Signal(signal) // it may have ended
	<-s.exited
}

// Kill ends the server at once.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Launch starts the server again, on the same port. What it had is lost.
func (s *Server) Launch() {
	s.t.Helper()
	s.launch()
}

// Pause stops the server from doing anything, with all its connections open.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// Do sends a command by redis-cli and returns the answer.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("redis-cli %q: %v\n%s", args, err, out)
	}
	return out
}

func (s *Server) try(args ...string) (string, error) {
	out, err := exec.Command(program(s.t, "redis-cli"), append(append([]string{}, s.cli...), args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Until sends a command until the answer contains a text.
func (s *Server) Until(text string, args ...string) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); ; <-tick.C {
		out, _ := s.try(args...)
		if strings.Contains(out, text) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("redis-cli %q does not answer %q but %q", args, text, out)
		}
	}
}

// freePort returns a port that is free now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// StartCluster starts a Redis Cluster of three nodes without replicas.
func StartCluster(t testing.TB) (servers []*Server) {
	t.Helper()
	create := []string{"--cluster", "create"}
	for range 3 {
		bus := strconv.Itoa(freePort(t))
		s := Start(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
		servers = append(servers, s)
		create = append(create, s.Addr())
	}
	out, err := exec.Command(program(t, "redis-cli"), append(create, "--cluster-replicas", "0", "--cluster-yes")...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for _, s := range servers {
		s.Until("cluster_state:ok", "CLUSTER", "INFO")
	}
	return servers
}

// Sentinels are a master, a replica, and the Sentinels that watch them.
type Sentinels struct {
	Servers   [2]*Server
	Sentinels []*Server
}

// MasterSet is the name by which the Sentinels know the master.
const MasterSet = "chatcast"

// StartSentinels starts three Sentinels with a master and a replica.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{}
	s.Servers[0] = Start(t)
	s.Servers[1] = Start(t, "--replicaof", "127.0.0.1", strconv.Itoa(s.Servers[0].Port), "--repl-diskless-sync-delay", "0")
	s.Servers[1].Until("master_link_status:up", "INFO", "replication")
	for range 3 {
		port := freePort(t)
		text := fmt.Sprintf(`port %d
bind 127.0.0.1
sentinel monitor %[2]s 127.0.0.1 %[3]d 2
sentinel down-after-milliseconds %[2]s 1000
sentinel failover-timeout %[2]s 5000
`, port, MasterSet, s.Servers[0].Port)
		file := filepath.Join(t.TempDir(), "sentinel.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Sentinels = append(s.Sentinels, start(t, port, []string{file, "--sentinel"}, "-p", strconv.Itoa(port)))
	}
	for _, sentinel := range s.Sentinels { // each must know the others and the replica
		sentinel.Until("num-other-sentinels\n2", "SENTINEL", "MASTER", MasterSet)
		sentinel.Until("num-slaves\n1", "SENTINEL", "MASTER", MasterSet)
	}
	return s
}

// URL returns the URL of the Sentinels.
func (s *Sentinels) URL() string {
	text := s.Sentinels[0].URL() + "?master_set=" + MasterSet
	for _, more := range s.Sentinels[1:] {
		text += "&addr=" + more.Addr()
	}
	return text
}

// Master returns the index of the server that the Sentinels have made the master.
func (s *Sentinels) Master() int {
	out := s.Sentinels[0].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterSet)
	if strings.HasSuffix(out, "\n"+strconv.Itoa(s.Servers[1].Port)) {
		return 1
	}
	return 0
}
