package whatsapp

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"go.mau.fi/libsignal/logger"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestSignalIsQuiet checks that the Signal library does not write to standard output. If
// nothing reads standard output, it would block forever while it decrypts a message.
func TestSignalIsQuiet(t *testing.T) { // not parallel: standard output belongs to the process
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdout := os.Stdout
	os.Stdout = w
	logger.Error("Unable to verify ciphertext mac")
	logger.Warning("received message with old counter")
	logger.Info("Building sender key session")
	os.Stdout = stdout
	w.Close()
	if out, err := io.ReadAll(r); err != nil || len(out) > 0 {
		t.Errorf("%q, %v", out, err)
	}
}

// TestMessagesAreNotLogged checks that, at the default level, neither the texts of a
// conversation nor the people's numbers are logged.
func TestMessagesAreNotLogged(t *testing.T) {
	var log testwait.Output
	w := newWorld(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	stranger := w.NewContact("79995550011", "", "Zoe") // without a hidden id, which whatsmeow logs for each message
	w.pair(t)
	w.anna.SendText(w.shop, "0")
	w.awaitText(t, "0")
	before := len(log.String())
	for i := range 5 {
		w.anna.SendText(w.shop, fmt.Sprintf("a secret %d", i))
		id := stranger.SendText(w.shop, fmt.Sprintf("their secret %d", i))
		w.say(fmt.Sprintf("3EB00%d", i), "our secret")
		if o := w.awaitOutcome(t, i+1); o.Status != crm.OutSent {
			t.Errorf("%+v", o)
		}
		if err := stranger.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Fatal(err)
		}
	}
	if out := log.String()[before:]; strings.Contains(out, "secret") || strings.Contains(out, "7999555") {
		t.Errorf("the log says:\n%s", out)
	}
}
