package main

import (
	"context"
	"net/http"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm/whatsapp/whatsapptest"
)

// step is one action in a chat, by the customer or by Mia. Mia's steps are skipped
// when the person at the console has taken the chat over.
type step struct {
	mia bool
	do  func(ctx context.Context, c *customer) error
}

// stories are the customers' stories. Each begins with a message of the customer.
var stories = [][]step{
	{
		writes("Hi! Do you still have the jasmine from last spring?"), mia("We do, two tins are left."), tags("order"),
		writes("Great, please put one aside for me"), reacts("🙏"), mia("Done. It waits for you until Saturday."), quotes("Perfect, see you then"),
	},
	{
		draws(cup, "image/jpeg", "First cup of the oolong. What a colour!"), mia("Looks lovely! How long did you let it draw?"),
		quotes("Three minutes, at about 90 degrees"), mia("Try 85 next time, it gets sweeter."), reacts("👍"),
	},
	{
		writes("My parcel came today and one tin is dented"), draws(shelf, "image/png", "The red one on the left"), tags("complaint"), takes(),
		mia("I am sorry! We send you another one today."), writes("That is very kind, thank you"), closes(),
	},
	{
		writes("Where can I find you?"), mia("Market Street 12, next to the bakery."), tags("question"),
		sends(func() *waE2E.Message {
			return whatsapptest.Location(52.3702, 4.8952, "Central Station", "Stationsplein")
		}),
		writes("I am here. Is it far on foot?"), mia("Ten minutes along the canal."), reacts("❤️"),
	},
	{
		hums(), writes("Sorry for the humming, I was on my bike. Are you open tomorrow?"), mia("From ten to six."), reacts("😂"), closes(),
	},
	{
		document("order-1042.pdf", "Order 1042", "2 x Jasmine pearls", "1 x Oolong 'Spring'", "Thank you!"), writes("Is this the right order? I am missing the oolong"),
		tags("order"), mia("It leaves tomorrow in a second parcel."), writes("All right then"),
	},
	{
		writes("We want to give a tasting for eight people"), mia("With pleasure. Which day?"),
		sends(func() *waE2E.Message { return whatsapptest.Poll("Which day suits us?", "Friday", "Saturday", "Sunday") }),
		writes("I have asked the others"), sends(func() *waE2E.Message { return whatsapptest.Card("Nora Lindqvist", "+46 70 174 06 05") }),
		writes("This is Nora, she organises it"), takes(), mia("I will call her. Thank you!"), reacts("🎉"),
	},
	{
		writes("Do you have anything without cafeine?"), corrects("Do you have anything without caffeine?"), tags("question"),
		mia("Rooibos, lime blossom and mint."), writes("Mint for me"), writes("Oh, and rooibos"), takesBack(), writes("Only the mint, please"), closes(),
	},
}

// chatter lists the messages of the group.
var chatter = []string{
	"Who comes on Saturday?", "I bring cake", "Me too! The tea, I mean", "Is it at four or at five?", "At four, as ever",
	"Can somebody take me along by car?", "I have a free seat", "Looking forward to it!",
}

func writes(text string) step {
	return step{do: func(_ context.Context, c *customer) error {
		c.mine = c.SendText(c.shop, text)
		return nil
	}}
}

func sends(what func() *waE2E.Message) step {
	return step{do: func(_ context.Context, c *customer) error {
		c.mine = c.Send(c.shop, what())
		return nil
	}}
}

func draws(what picture, mime, caption string) step {
	return step{do: func(_ context.Context, c *customer) error {
		b, err := what(c.rand)
		if err == nil {
			c.mine = c.Send(c.shop, c.phones.Upload(b, whatsmeow.MediaImage).Image(caption, mime))
		}
		return err
	}}
}

func hums() step {
	return step{do: func(_ context.Context, c *customer) error {
		c.mine = c.Send(c.shop, c.phones.Upload(humming(c.rand), whatsmeow.MediaAudio).Audio("audio/wav", true))
		return nil
	}}
}

func document(name string, lines ...string) step {
	return step{do: func(_ context.Context, c *customer) error {
		c.mine = c.Send(c.shop, c.phones.Upload(receipt(lines...), whatsmeow.MediaDocument).Document(name, "application/pdf", ""))
		return nil
	}}
}

// reacts sends a reaction to the shop's last message.
func reacts(emoji string) step {
	return step{do: func(_ context.Context, c *customer) error {
		if last, ok := c.heard(); ok {
			c.Send(c.shop, whatsapptest.Reaction(c.KeyOf(c.shop, last.ID, false), emoji))
		}
		return nil
	}}
}

// quotes replies to the shop's last message.
func quotes(text string) step {
	return step{do: func(_ context.Context, c *customer) error {
		c.answer(text)
		return nil
	}}
}

func corrects(text string) step {
	return step{do: func(_ context.Context, c *customer) error {
		c.Send(c.shop, whatsapptest.Edit(c.KeyOf(c.shop, c.mine, true), whatsapptest.Text(text)))
		return nil
	}}
}

func takesBack() step {
	return step{do: func(_ context.Context, c *customer) error {
		c.Send(c.shop, whatsapptest.Revoke(c.KeyOf(c.shop, c.mine, true)))
		return nil
	}}
}

func mia(text string) step {
	return step{mia: true, do: func(ctx context.Context, c *customer) error { return c.mia.say(ctx, c.chat(), text) }}
}

func tags(name string) step {
	return step{mia: true, do: func(ctx context.Context, c *customer) error {
		return c.mia.change(ctx, http.MethodPost, c.chat(), "/tags", map[string]any{"tagId": c.mia.tags[name]})
	}}
}

// takes makes Mia responsible for the chat.
func takes() step {
	return step{mia: true, do: func(ctx context.Context, c *customer) error {
		return c.mia.change(ctx, http.MethodPut, c.chat(), "/responsible", map[string]any{"id": c.mia.id})
	}}
}

func closes() step {
	return step{mia: true, do: func(ctx context.Context, c *customer) error {
		return c.mia.change(ctx, http.MethodPut, c.chat(), "/status", map[string]any{"type": "close"})
	}}
}

// answer writes a reply that quotes the shop's last message, if any.
func (c *customer) answer(text string) {
	last, ok := c.heard()
	if !ok {
		c.mine = c.SendText(c.shop, text)
		return
	}
	about := whatsapptest.Quoting(last.ID, c.shop.Number(), last.Message)
	c.mine = c.Send(c.shop, whatsapptest.RichText(text, about))
}
