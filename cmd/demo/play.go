package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"chatcast/crm/whatsapp/whatsapptest"
)

// cast lists the customers. Regulators reserve their numbers for fiction; nobody has
// them.
var cast = []struct{ phone, hidden, name string }{
	{"12025550141", "1000000141", "Anna Petrova"},
	{"447700900172", "1000000172", "Rafael Costa"},
	{"12025550117", "1000000117", "Amina Yusuf"},
	{"447700900458", "1000000458", "Lukas Weber"},
	{"12025550183", "1000000183", "Mei Tanaka"},
	{"447700900633", "1000000633", "Olga Lindgren"},
	{"12025550166", "1000000166", "Tomás Herrera"},
}

// thanks are the customers' replies to the person at the console, whose words they
// cannot foresee.
var thanks = []string{
	"Thank you, that helps!", "Good to know, thank you", "Oh, nice! Can you tell me more?", "All right, I will think about it",
	"Perfect 🙂", "Great service, as always", "And how much would that be?", "Wonderful, then let us do it so",
}

type picture func(*rand.Rand) ([]byte, error)

// customer is one of the cast, in a story.
type customer struct {
	*whatsapptest.Contact
	phones *whatsapptest.Server
	shop   *whatsapptest.Account
	mia    *colleague
	rand   *rand.Rand // used by play.run alone
	story  []step     // the steps left
	mine   string     // id of the customer's last message; used by play.run alone

	mu    sync.Mutex
	taken bool // the person at the console answers in this story
}

func (c *customer) chat() string { return c.Number().User }

// heard returns the shop's last message to the customer, if any.
func (c *customer) heard() (whatsapptest.Received, bool) {
	for _, m := range slices.Backward(c.Inbox()) {
		if c.isWords(m) {
			return m, true
		}
	}
	return whatsapptest.Received{}, false
}

// isWords reports whether m is a message to the customer, not a reaction, an edit, or
// a message of the group.
func (c *customer) isWords(m whatsapptest.Received) bool {
	return m.Type != "reaction" && m.Edit == "" && m.Chat == c.shop.Number()
}

func (c *customer) takeOver(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = on
}

func (c *customer) takenOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken
}

// play runs the stories of all customers.
type play struct {
	customers []*customer
	group     *whatsapptest.Group
	pace      time.Duration
	seed      uint64
	rand      *rand.Rand
	said      int // number of chatter lines sent
	errs      io.Writer
}

func newPlay(o options, phones *whatsapptest.Server, shop *whatsapptest.Account, mia *colleague, errs io.Writer) *play {
	p := &play{pace: o.pace, seed: o.seed, rand: newRand(o.seed, 0), errs: errs}
	for _, who := range cast {
		p.customers = append(p.customers, &customer{
			Contact: phones.NewContact(who.phone, who.hidden, who.name), phones: phones, shop: shop, mia: mia, rand: p.rand,
		})
	}
	c := p.customers
	p.group = phones.NewGroup("Saturday tasting", false, c[0], c[1], c[4], shop)
	return p
}

// run performs one step after another until ctx ends, never two in a row in one chat.
func (p *play) run(ctx context.Context) {
	var phones sync.WaitGroup
	defer phones.Wait()
	for i, c := range p.customers {
		phones.Go(func() { p.listen(ctx, c, newRand(p.seed, uint64(i)+1)) })
	}
	beginning := p.rand.Perm(len(stories)) // each customer begins with another story
	for i, c := range p.customers {
		c.story = stories[beginning[i%len(stories)]]
	}
	for n := 0; ; n++ {
		pause := p.pace/2 + time.Duration(p.rand.Int64N(int64(p.pace)))
		if n < 2*len(p.customers) {
			pause /= 5 // show something soon
		}
		if !wait(ctx, pause) {
			return
		}
		if n%len(p.customers) == 0 {
			p.rand.Shuffle(len(p.customers), func(i, j int) { p.customers[i], p.customers[j] = p.customers[j], p.customers[i] })
		}
		if n%11 == 10 {
			p.chat()
			continue
		}
		p.next(ctx, p.customers[n%len(p.customers)])
	}
}

// next performs the next step of a customer's story.
func (p *play) next(ctx context.Context, c *customer) {
	if len(c.story) == 0 {
		c.story = stories[p.rand.IntN(len(stories))]
		c.takeOver(false)
	}
	s := c.story[0]
	c.story = c.story[1:]
	if s.mia && c.takenOver() {
		return // the person at the console has taken the chat over
	}
	if err := s.do(ctx, c); err != nil && ctx.Err() == nil {
		fmt.Fprintf(p.errs, "demo: %s's story goes on without this: %v\n", c.chat(), err)
	}
}

// chat sends a message to the group as one of its members.
func (p *play) chat() {
	members := make([]*customer, 0, len(p.customers))
	for _, c := range p.customers {
		switch c.Number().User {
		case cast[0].phone, cast[1].phone, cast[4].phone:
			members = append(members, c)
		}
	}
	members[p.rand.IntN(len(members))].SendGroup(p.group, whatsapptest.Text(chatter[p.said%len(chatter)]))
	p.said++
}

// listen acts as a customer's phone. It reads messages after a moment, and answers
// those of the person at the console with a reply and sometimes a reaction.
func (p *play) listen(ctx context.Context, c *customer, r *rand.Rand) {
	moment := func() time.Duration { return p.pace/3 + time.Duration(r.Int64N(int64(p.pace))) }
	known := make(map[string]bool)
	for {
		got, err := c.Await(ctx, func(m whatsapptest.Received) bool { return !known[m.ID] })
		if err != nil {
			return // the demo ends
		}
		known[got.ID] = true
		if !c.isWords(got) {
			continue
		}
		scripted := c.mia.wrote(got.Text())
		if !scripted {
			c.takeOver(true)
		}
		if !wait(ctx, moment()) {
			return
		}
		c.Read(c.shop, got.ID)
		if scripted {
			continue
		}
		if r.IntN(3) == 0 {
			c.Send(c.shop, whatsapptest.Reaction(c.KeyOf(c.shop, got.ID, false), "❤️"))
		}
		if !wait(ctx, moment()) {
			return
		}
		about := whatsapptest.Quoting(got.ID, c.shop.Number(), got.Message)
		c.Send(c.shop, whatsapptest.RichText(thanks[r.IntN(len(thanks))], about))
	}
}

// wait sleeps for d. It returns false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// newRand returns a generator whose sequence depends only on seed and stream.
func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
