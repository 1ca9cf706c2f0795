package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 30 * time.Second
	endTime   = 10 * time.Second

	// oneSignal is how long after the server's end the demo may be told to end, too:
	// Ctrl-C reaches both in any order, and then the server has not failed.
	oneSignal = 300 * time.Millisecond
)

// program is the server, in a process of its own.
type program struct {
	cmd   *exec.Cmd
	up    *announcement
	log   *tail
	ended chan struct{}
	err   error // how it ended; read after ended is closed
}

// startProgram starts the server with these settings and no others.
func startProgram(path string, settings map[string]string) (*program, error) {
	p := &program{up: &announcement{url: make(chan string, 1)}, log: &tail{}, ended: make(chan struct{})}
	p.cmd = exec.Command(path, "serve")
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "CHATCAST_") {
			p.cmd.Env = append(p.cmd.Env, line)
		}
	}
	for key, value := range settings {
		p.cmd.Env = append(p.cmd.Env, "CHATCAST_"+key+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.up, p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w (make build builds it)", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// url waits until the server prints its address, and returns it.
func (p *program) url(ctx context.Context) (string, error) {
	late := time.NewTimer(startTime)
	defer late.Stop()
	select {
	case url := <-p.up.url:
		return url, nil
	case <-late.C:
		return "", errors.New("the server does not come up\n" + p.log.String())
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// whileRunning returns a context that also ends when the server does, with the reason.
func (p *program) whileRunning(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-p.ended:
		}
		select {
		case <-ctx.Done():
		case <-time.After(oneSignal):
			cancel(fmt.Errorf("the server has ended: %v\n%s", p.err, p.log))
		}
	}()
	return ctx, func() { cancel(nil) }
}

// stop stops the server as a service manager does.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended already
	select {
	case <-p.ended:
	case <-time.After(endTime):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the server did not end when it was told to, and was killed")
	}
	if p.err != nil {
		return fmt.Errorf("the server ended with %w\n%s", p.err, p.log)
	}
	return nil
}

// announcement finds the server's address in its output.
type announcement struct {
	text  bytes.Buffer // the output until the address is found
	found bool
	url   chan string
}

func (a *announcement) Write(b []byte) (int, error) {
	if a.found {
		return len(b), nil
	}
	a.text.Write(b)
	if _, rest, ok := strings.Cut(a.text.String(), "is up: "); ok {
		if url, _, whole := strings.Cut(rest, "\n"); whole {
			a.found = true
			a.url <- strings.TrimSuffix(url, "/")
		}
	}
	return len(b), nil
}

// tail keeps the end of the server's log, to show it when the server fails.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
