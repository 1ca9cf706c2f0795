package crm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

var noon = time.Unix(crmtest.Start, 0)

func TestThrottleOfOneAddress(t *testing.T) {
	th := crm.NewThrottle()
	for i := range 5 {
		if wait, _ := th.Admit(noon, "192.0.2.1", "anna"); wait != 0 {
			t.Fatalf("try %d must wait %v", i+1, wait)
		}
	}
	wait, _ := th.Admit(noon, "192.0.2.1", "anna")
	if wait != 30*time.Second {
		t.Fatalf("try 6 must wait %v, want 30s", wait)
	}
	if wait, _ := th.Admit(noon.Add(wait), "192.0.2.1", "anna"); wait != 0 {
		t.Errorf("after the wait: %v more", wait)
	}
	if wait, _ := th.Admit(noon, "192.0.2.1", "boris"); wait != 0 {
		t.Errorf("another account from there must wait %v", wait)
	}
	if wait, _ := th.Admit(noon, "192.0.2.2", "anna"); wait != 0 {
		t.Errorf("the account from elsewhere must wait %v", wait)
	}
}

func TestThrottleOfManyAccountsFromOneAddress(t *testing.T) {
	th := crm.NewThrottle()
	admitted := 0
	for i := range 200 {
		if wait, _ := th.Admit(noon, "192.0.2.1", fmt.Sprint("user", i)); wait == 0 {
			admitted++
		}
	}
	if admitted != 60 {
		t.Errorf("%d tries in one moment, want 60", admitted)
	}
}

// TestThrottleDoesNotLockOut attacks one account from thousands of addresses all the
// time. Its owner must still get in, and the attacker must get only one guess for each
// address and half minute.
func TestThrottleDoesNotLockOut(t *testing.T) {
	th := crm.NewThrottle()
	guesses, now := 0, noon
	const addresses, rounds = 1000, 60
	for range rounds { // a minute
		now = now.Add(time.Second)
		for i := range addresses {
			if wait, _ := th.Admit(now, fmt.Sprintf("10.0.%d.%d", i/250, i%250), "anna"); wait == 0 {
				guesses++
			}
		}
	}
	if most := 3*addresses + 100; guesses > most {
		t.Errorf("%d guesses in a minute, want at most %d", guesses, most)
	}
	wait, refund := th.Admit(now, "192.0.2.1", "anna")
	if wait != 0 {
		t.Fatalf("the owner must wait %v", wait)
	}
	refund()
	if wait, _ = th.Admit(now, "192.0.2.1", "anna"); wait != 0 {
		t.Errorf("the owner's second device must wait %v", wait)
	}
	if wait, _ = th.Admit(now, "198.51.100.1", "anna"); wait != 0 {
		t.Errorf("from yet another address the owner must wait %v", wait)
	}
	if wait, _ = th.Admit(now, "198.51.100.1", "anna"); wait == 0 || wait > 30*time.Second {
		t.Errorf("after a failure under attack the wait is %v, want at most 30s", wait)
	}
}

func TestThrottleCountsNetworksOfIPv6(t *testing.T) {
	th := crm.NewThrottle()
	for i := range 5 {
		th.Admit(noon, fmt.Sprintf("2001:db8::%d", i+1), "anna")
	}
	if wait, _ := th.Admit(noon, "2001:db8::ffff", "anna"); wait == 0 {
		t.Error("a customer's other addresses are free")
	}
	if wait, _ := th.Admit(noon, "2001:db8:0:1::1", "anna"); wait != 0 {
		t.Error("another customer pays")
	}
	for range 5 {
		th.Admit(noon, "::ffff:192.0.2.1", "anna")
	}
	if wait, _ := th.Admit(noon, "192.0.2.1", "anna"); wait == 0 {
		t.Error("an IPv4 address is another one when written as IPv6")
	}
}

// TestThrottleRemembersThroughAFlood lets an address that has used up its attempts go
// on with ever new accounts. That must not push out what is remembered of others.
func TestThrottleRemembersThroughAFlood(t *testing.T) {
	th := crm.NewThrottle()
	for range 5 {
		th.Admit(noon, "192.0.2.1", "anna")
	}
	for i := range crm.MaxBuckets {
		th.Admit(noon, "192.0.2.66", fmt.Sprint("user", i))
	}
	if wait, _ := th.Admit(noon, "192.0.2.1", "anna"); wait == 0 {
		t.Error("a flood from elsewhere made the throttle forget five failures")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	th := crm.NewThrottle()
	for i := range crm.MaxBuckets {
		th.Admit(noon, fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255), fmt.Sprint("user", i))
	}
	if n := th.Buckets(); n > crm.MaxBuckets {
		t.Errorf("%d buckets, want at most %d", n, crm.MaxBuckets)
	}
}

func TestSignInsAreThrottled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		for range 10 { // a success costs nothing
			if _, err := signIn(w, t, "test@test.test", rightPassword, ""); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			_, err := signIn(w, t, "test@test.test", "wrong", "")
			expectCode(t, "a wrong password", err, crm.CodeDenied)
		}
		_, err := signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "the right password after five wrong ones", err, crm.CodeThrottled)
		if e, ok := err.(*crm.Error); !ok || e.RetryAfter != 30 {
			t.Errorf("%+v, want to come again after 30 s", err)
		}
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "test@test.test", Password: rightPassword, Address: "198.51.100.7"})
		expectCode(t, "from elsewhere", err, "")
		w.Clock.Advance(30 * time.Second)
		_, err = signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "after the wait", err, "")
	})
}

func TestPasswords(t *testing.T) {
	p := crm.NewPasswords(4)
	long := strings.Repeat("a", 72)
	for _, tt := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"right", bcryptOf(t, rightPassword), rightPassword, true},
		{"wrong", bcryptOf(t, rightPassword), "wrong", false},
		{"empty", bcryptOf(t, rightPassword), "", false},
		{"longest", bcryptOf(t, long), long, true},
		{"longer, beginning right", bcryptOf(t, long), long + "a", false},
		{"nobody", "", rightPassword, false},
		{"nobody without a password", "", "", false},
	} {
		if got, err := p.Matches(t.Context(), tt.hash, tt.password); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// TestPasswordsQueueIsBounded fills the processors and the queue. The next caller is
// asked to try again later, and a caller that gives up leaves the queue.
func TestPasswordsQueueIsBounded(t *testing.T) {
	p := crm.NewPasswords(4)
	leaves := make([]func(), p.Slots())
	for i := range leaves {
		var err error
		if leaves[i], err = p.Enter(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	ctx, giveUp := context.WithCancel(t.Context())
	results := make(chan error)
	for range crm.MaxHashQueue + 1 {
		go func() {
			_, err := p.Enter(ctx, false)
			results <- err
		}()
	}
	expectCode(t, "one too many", <-results, crm.CodeThrottled)
	giveUp()
	for range crm.MaxHashQueue {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up got %v", err)
		}
	}
	leaves[0]()
	leave, err := p.Enter(t.Context(), false)
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	leave()
}
