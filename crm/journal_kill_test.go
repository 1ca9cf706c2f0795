package crm_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// Environment variables of a process that is to be killed.
const (
	dyingRelayStage = "CHATCAST_TEST_DYING_RELAY"
	dyingRelayURL   = "CHATCAST_TEST_DYING_RELAY_DATABASE"
)

// Stages at which the process is killed.
const (
	afterCommit    = "after the commit"
	afterNumbering = "after the numbering"
	afterPublish   = "after publishing"
)

const journalChannel = "private-v1.companies.2224"

// appendNamed commits one entry of the name.
func appendNamed(ctx context.Context, store *models.Store, name string) error {
	return store.Tx(ctx, func(tx *models.Tx) error {
		return tx.AppendJournal(&models.JournalEntry{
			CompanyID: 2224, Name: name, Channels: `["` + journalChannel + `"]`,
			Data: `{"payload":{"data":[],"meta":{"type":"` + name + `"}}}`, CreatedAtMS: 1,
		})
	})
}

// dyingRelay commits an entry, relays it up to its stage, reports that, and waits to be
// killed. Its input ends when its parent dies without killing it.
func dyingRelay() {
	die := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stage := context.Background(), os.Getenv(dyingRelayStage)
	store, err := models.Open(ctx, os.Getenv(dyingRelayURL))
	if err != nil {
		die(err)
	}
	if err := appendNamed(ctx, store, "c"); err != nil {
		die(err)
	}
	reached := func() {
		fmt.Println("reached")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}
	if stage == afterCommit {
		reached()
	}
	relay := broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: dyingJournal{crm.NewJournal(store), func() {
			if stage == afterPublish {
				reached()
			}
		}},
		Publish: func(context.Context, broadcasting.Event) error {
			if stage == afterNumbering {
				reached()
			}
			return nil
		},
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	die(relay.Run(ctx))
}

// dyingJournal calls beforeMark when everything was published.
type dyingJournal struct {
	*crm.Journal
	beforeMark func()
}

func (j dyingJournal) MarkPublished(ctx context.Context, seq int64) error {
	j.beforeMark()
	return j.Journal.MarkPublished(ctx, seq)
}

// TestKilledRelay kills a process at each stage between commit and mark. The next
// process must publish the event, under the one number that it has or gets.
func TestKilledRelay(t *testing.T) {
	testwait.LeaveOut(t, "it kills processes")
	for _, stage := range []string{afterCommit, afterNumbering, afterPublish} {
		t.Run(stage, func(t *testing.T) {
			testdb.EachURL(t, func(t *testing.T, url string) { testKilledRelay(t, stage, url) })
		})
	}
}

func testKilledRelay(t *testing.T, stage, url string) {
	store := testdb.Open(t, url)
	before := startRelay(t, "before", crm.NewJournal(store))
	for _, name := range []string{"a", "b"} {
		if err := appendNamed(t.Context(), store, name); err != nil {
			t.Fatal(err)
		}
	}
	before.relay.Wake()
	before.wants(t, "1 a", "2 b")
	before.stop()

	killAt(t, stage, url)

	after := startRelay(t, "after", crm.NewJournal(store))
	if err := appendNamed(t.Context(), store, "d"); err != nil {
		t.Fatal(err)
	}
	after.relay.Wake()
	after.wants(t, "3 c", "4 d")
	after.stop()

	rows, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: journalChannel}, 0, 1<<62, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprint(*r.Seq, " ", r.Name))
	}
	if want := "1 a, 2 b, 3 c, 4 d"; strings.Join(got, ", ") != want {
		t.Errorf("the journal is %q, want %q", strings.Join(got, ", "), want)
	}
}

// killAt runs a dying relay and kills it with SIGKILL at its stage.
func killAt(t *testing.T, stage, url string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dyingRelayStage+"="+stage, dyingRelayURL+"="+url)
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
	line, err := bufio.NewReader(stdout).ReadString('\n')
	killErr := cmd.Process.Kill()
	_ = cmd.Wait() // "signal: killed"
	if err != nil || killErr != nil {
		t.Fatalf("the process said %q, %v; kill: %v", line, err, killErr)
	}
}
