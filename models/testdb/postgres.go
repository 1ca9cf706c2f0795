package testdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/channels/testwait"
)

// startTimeout is how long the private server may take to answer.
const startTimeout = time.Minute

// errNoPostgres says what to install.
var errNoPostgres = errors.New("no PostgreSQL server programs (initdb, postgres) found under /usr/lib/postgresql or in PATH: install the package postgresql")

// postgresServer is the private server of this test program.
type postgresServer struct {
	durable bool // static: commits survive a loss of power, which takes time

	mu      sync.Mutex // guards all below
	tried   bool
	err     error // of the start
	dir     string
	command []string // that starts it
	process *os.Process
	exited  <-chan struct{} // closed when the process has ended
	output  bytes.Buffer    // to be read after exited
	copied  string          // the option that makes a new database a copy of files
	made    int             // number of databases created
}

var (
	server  postgresServer
	durable = postgresServer{durable: true}
)

// database creates a database from a template.
func (s *postgresServer) database(ctx context.Context, template string) (dbURL string, drop func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tried {
		s.tried = true
		s.err = s.start()
	}
	if s.err != nil {
		return "", nil, fmt.Errorf("testdb: %w", s.err)
	}
	s.made++
	name := "test" + strconv.Itoa(s.made)
	if err := s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+s.copied); err != nil {
		return "", nil, fmt.Errorf("testdb: %w", err)
	}
	return s.url(name), func() error {
		return s.exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	}, nil
}

// start initialises and starts the server, and creates the template.
func (s *postgresServer) start() error {
	bin, err := findPostgres()
	if err != nil {
		return err
	}
	attr, uid, err := unprivileged()
	if err != nil {
		return err
	}
	// The path of a Unix socket may have about 100 bytes, and a test's own folder can
	// be longer.
	if s.dir, err = os.MkdirTemp("", "chatcast-pg-"); err != nil {
		return err
	}
	if uid >= 0 {
		if err := os.Chown(s.dir, uid, -1); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "chatcast",
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = attr, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.command = []string{filepath.Join(bin, "postgres"), "-D", data, "-k", s.dir,
		"-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=32MB",
		"-c", "wal_level=minimal", "-c", "max_wal_senders=0"} // a copy of the template is not written twice
	if !s.durable {
		s.command = append(s.command, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launch(ctx, attr); err != nil {
		return err
	}
	if err := s.exec(ctx, "CREATE DATABASE template_chatcast"); err != nil {
		return err
	}
	if s.copied, err = s.copies(ctx); err != nil {
		return err
	}
	return migrated(ctx, s.url("template_chatcast"))
}

// launch starts the server, and waits until it answers.
func (s *postgresServer) launch(ctx context.Context, attr *syscall.SysProcAttr) error {
	server := exec.Command(s.command[0], s.command[1:]...)
	server.SysProcAttr, server.Dir = attr, s.dir
	server.Stdout, server.Stderr = &s.output, &s.output
	exited, err := testwait.Start(server, syscall.SIGQUIT)
	if err != nil {
		return err
	}
	s.process, s.exited = server.Process, exited
	return s.answers(ctx)
}

// answers waits until the server takes connections.
func (s *postgresServer) answers(ctx context.Context) error {
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := s.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("postgres ended:\n%s", s.output.String())
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-retry.C:
		}
	}
}

// copies returns the option of CREATE DATABASE that copies the template's files. Since
// version 15 PostgreSQL copies pages through the log unless it is told otherwise, which
// takes four times as long here.
func (s *postgresServer) copies(ctx context.Context) (option string, err error) {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	err = conn.QueryRow(ctx, "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY FILE_COPY' ELSE '' END").Scan(&option)
	return option, err
}

// stop ends the server and removes its folder. The data is no longer needed, so the
// shutdown is immediate.
func (s *postgresServer) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		if err := s.process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-s.exited
	}
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// exec runs one statement on the server's own database.
func (s *postgresServer) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(ctx, sql)
	return err
}

func (s *postgresServer) url(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"chatcast"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// findPostgres returns the folder of the newest server programs.
func findPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, version := "", -1
	for _, initdb := range found {
		bin := filepath.Dir(initdb)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && v > version {
			best, version = bin, v
		}
	}
	if best != "" {
		return best, nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNoPostgres
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", err
	}
	return filepath.Dir(initdb), nil
}

// unprivileged returns how the server's processes run. PostgreSQL refuses to run as
// root, so root runs it as postgres or nobody. uid is -1 when nothing needs to change.
func unprivileged() (attr *syscall.SysProcAttr, uid int, err error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, -1, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, 0, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return nil, 0, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, 0, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, uid, nil
}

// SetReadOnly makes the database at url read-only, or writable again, for sessions that
// begin from now on, and ends all others.
func SetReadOnly(t testing.TB, url string, readOnly bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	value := map[bool]string{true: "on", false: "off"}[readOnly]
	for _, statement := range []string{
		"SET default_transaction_read_only = off",
		"DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = " + value + "'; END $$",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
