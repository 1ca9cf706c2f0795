package crm_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestThrottleBoundsGuessesFromEverywhere attacks one account from ever new networks.
// The number of guesses must not depend on how many there are, and an address from which
// the owner signed in must get in all the time.
func TestThrottleBoundsGuessesFromEverywhere(t *testing.T) {
	th := crm.NewThrottle()
	_, succeeded := th.Admit(noon, "192.0.2.1", "anna")
	succeeded()
	guesses, now := 0, noon
	const minutes, perSecond = 10, 50
	for i := range minutes * 60 * perSecond {
		now = noon.Add(time.Duration(i) * time.Second / perSecond)
		if wait, _ := th.Admit(now, fmt.Sprintf("%d.%d.%d.1", 11+i>>16, i>>8&255, i&255), "anna"); wait == 0 {
			guesses++
		}
		if i%(60*perSecond) == 0 {
			wait, succeeded := th.Admit(now, "192.0.2.1", "anna")
			if wait != 0 {
				t.Fatalf("the owner must wait %v where they signed in before", wait)
			}
			succeeded()
		}
	}
	if most := 120 + minutes*60*11/10; guesses > most {
		t.Errorf("%d guesses in %d minutes, want at most %d", guesses, minutes, most)
	}
	for range 5 {
		th.Admit(now, "192.0.2.1", "anna")
	}
	if wait, _ := th.Admit(now, "192.0.2.1", "anna"); wait == 0 {
		t.Error("guesses from a known address are not counted")
	}
}

// TestThrottleKnowsAFewNetworks signs in from ever new addresses. It must not push out
// what is known of another account, and forgets the oldest of its own.
func TestThrottleKnowsAFewNetworks(t *testing.T) {
	th := crm.NewThrottle()
	signIn := func(address, account string) {
		if _, succeeded := th.Admit(noon, address, account); succeeded != nil {
			succeeded()
		}
	}
	empty := func(account string) {
		for i := range 200 {
			th.Admit(noon, fmt.Sprintf("10.%d.0.1", i), account)
		}
	}
	for i := range crm.MaxKnownNetworks + 1 {
		signIn(fmt.Sprintf("192.0.%d.1", i), "anna")
		signIn("192.0.0.1", "boris")
	}
	empty("anna")
	empty("boris")
	for _, tt := range []struct {
		address, account string
		known            bool
	}{{"192.0.0.1", "anna", false}, {"192.0.1.1", "anna", true}, {"192.0.8.1", "anna", true}, {"192.0.0.1", "boris", true}} {
		if wait, _ := th.Admit(noon, tt.address, tt.account); (wait == 0) != tt.known {
			t.Errorf("%s from %s must wait %v, want known %v", tt.account, tt.address, wait, tt.known)
		}
	}
}

// TestGuessesDoNotStarveTheOwner guesses the owner's password from 90 addresses at once.
// The owner must get in from yet another address meanwhile, and at once from one where
// they signed in before.
func TestGuessesDoNotStarveTheOwner(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		from := func(address, password string) error {
			_, err := w.MakeToken(t.Context(), crm.SignIn{Email: "test@test.test", Password: password, Address: address})
			return err
		}
		expectCode(t, "before", from("203.0.113.1", rightPassword), "")
		p := w.Passwords()
		var leaves []func()
		for range p.Slots() { // as if the hashes took long
			leave, err := p.Enter(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		const guesses = 90
		wrong, right := make(chan error, guesses), make(chan error, 1)
		for i := range guesses {
			go func() { wrong <- from(fmt.Sprintf("10.%d.0.1", i), "wrong") }()
		}
		waiting := func(n int) {
			t.Helper()
			for deadline := time.Now().Add(testwait.Long); p.Waiting() != n; runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("%d sign-ins wait, want %d", p.Waiting(), n)
				}
			}
		}
		waiting(guesses)
		go func() { right <- from("192.0.2.1", rightPassword) }()
		waiting(guesses + 1)
		known := make(chan error, 1)
		go func() { known <- from("203.0.113.1", rightPassword) }()
		waiting(guesses + 2)
		leaves[0]()
		expectCode(t, "from where the owner was before", <-known, "")
		for _, leave := range leaves[1:] {
			leave()
		}
		expectCode(t, "from elsewhere", <-right, "")
		for range guesses {
			expectCode(t, "a guess", <-wrong, crm.CodeDenied)
		}
	})
}
