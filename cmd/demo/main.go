// Command demo shows chatcast at work on your own machine. It starts a stand-in
// WhatsApp and the program. A line shows a QR code, which the page of a simulated phone
// scans when somebody clicks. Then simulated customers write, send pictures, read the
// answers, and reply.
//
//	demo (this process)                          bin/chatcast (a child)
//	  stand-in WhatsApp  <---- whatsmeow ----      crm/whatsapp
//	  the shop's phone   ------ HTTP ------->      the line's QR code
//	  the customers                                   |
//	  Mia, a colleague   ------ HTTP ------->      the API, the console
//
// It is a separate program, so that the server does not contain the stand-in.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"chatcast/crm/whatsapp/whatsapptest"
)

// options are the flags of the demo.
type options struct {
	program string        // the server's binary
	address string        // of the console
	seed    uint64        // of who writes what, and when
	pace    time.Duration // average time between two actions
}

func main() {
	var o options
	flag.StringVar(&o.program, "program", "bin/chatcast", "the server's binary")
	flag.StringVar(&o.address, "address", "127.0.0.1:6001", "where to serve; a free port when this one is taken")
	flag.Uint64Var(&o.seed, "seed", 1, "another one lets the customers write other things")
	flag.DurationVar(&o.pace, "pace", 2500*time.Millisecond, "the time between two things that happen, on average")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run runs the whole demo until ctx ends, and then removes its data: the simulated
// phones are in memory, so a paired line could not log in again.
func run(ctx context.Context, o options, out, errs io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "chatcast-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	phones, err := whatsapptest.Start(whatsapptest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, phones.Close()) }()

	root := phones.Root()
	password := strings.ToLower(rand.Text()[:12])
	server, err := startProgram(o.program, map[string]string{
		"SERVER_ADDRESS": free(o.address), "SERVER_INTERNAL_ADDRESS": "", "SERVER_DRAIN_TIME": "0s", "LOG_LEVEL": "warn",
		"DATABASE_URL": "sqlite:" + filepath.Join(dir, "chatcast.db"), "FILES_DIR": filepath.Join(dir, "files"),
		"BOOTSTRAP_COMPANY_NAME": "The tea house", "BOOTSTRAP_LICENSE_NAME": "Shop", "BOOTSTRAP_USER_PASSWORD": password,
		"WEBHOOKS_ALLOW_PRIVATE_TARGETS": "true", // those of programs that somebody tries beside it
		"WHATSAPP_ENDPOINT":              phones.Addr(), "WHATSAPP_ROOT_KEY": hex.EncodeToString(root[:]),
	})
	if err != nil {
		return err
	}
	err = show(ctx, o, phones, server, password, out, errs)
	if ended := ctx.Err() != nil; err != nil && ended {
		err = nil // an action was interrupted by the end of the demo
	}
	err = errors.Join(err, server.stop())
	if err == nil {
		fmt.Fprint(out, "\n  Ended. Its data are removed.\n\n")
	}
	return err
}

// show pairs the line, prints the address of the console, and starts the customers.
func show(ctx context.Context, o options, phones *whatsapptest.Server, server *program, password string, out, errs io.Writer) error {
	ctx, cancel := server.whileRunning(ctx)
	defer cancel()
	url, err := server.url(ctx)
	if err != nil {
		return err
	}
	owner, err := signIn(ctx, url, ownerEmail, password)
	if err != nil {
		return err
	}
	shop := phones.NewAccount("12025550100", "1000000100", "The tea house")
	var pages sync.WaitGroup
	defer pages.Wait()
	defer cancel()
	phone := newPhone(owner, shop)
	phoneURL, err := phone.serve(ctx, &pages)
	if err != nil {
		return err
	}
	mia, err := hire(ctx, owner, password)
	if err != nil {
		return err
	}
	var key struct{ Key string }
	if err := owner.call(ctx, http.MethodPost, "/v1/keys", map[string]any{"name": "demo", "rights": []string{"read", "send", "manage"}}, &key); err != nil {
		return err
	}
	p := newPlay(o, phones, shop, mia, errs)
	fmt.Fprintf(out, `
  chatcast with a WhatsApp that exists on this machine alone. %d customers write.

    console   %s/
    e-mail    %s
    password  %s

    phone     %s
    key       %s

  Sign in to the console; Send shows the code to link the shop's phone with. Open the
  phone and let it scan the code: then the customers begin to write.
  Live shows what happens. Answer somebody in Send: they read it and reply.
  Mia, a colleague, answers where you do not. Ctrl-C ends it and removes its data.

  A client of Evolution API uses the key, and the instance 1229-grWhatsApp.

`, len(p.customers), url, ownerEmail, password, phoneURL, key.Key)
	select {
	case <-phone.linked:
		p.run(ctx)
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// free returns address, or an address with port 0 if address is in use.
func free(address string) string {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = ln.Close() // only checks that the address is free
	return address
}
