// Command ogen uses the client that ogen made of openapi-3.0.json: it signs in, lists the
// chats, sends a text to the first one, and prints what the chat then says.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ogen-go/ogen/ogenerrors"

	"example.com/clients/ogen/chatcast"
)

// token is sent with each request.
type token string

func (t token) Bearer(context.Context, chatcast.OperationName) (chatcast.Bearer, error) {
	return chatcast.Bearer{Token: string(t)}, nil
}

func (token) AccessToken(context.Context, chatcast.OperationName) (chatcast.AccessToken, error) {
	return chatcast.AccessToken{}, ogenerrors.ErrSkipClientSecurity
}

func (token) StreamTicket(context.Context, chatcast.OperationName) (chatcast.StreamTicket, error) {
	return chatcast.StreamTicket{}, ogenerrors.ErrSkipClientSecurity
}

func (token) SignedLink(context.Context, chatcast.OperationName) (chatcast.SignedLink, error) {
	return chatcast.SignedLink{}, ogenerrors.ErrSkipClientSecurity
}

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server, email, password, text string) error {
	c, err := chatcast.NewClient(server, token("none"))
	if err != nil {
		return err
	}
	answer, err := c.SignIn(ctx, &chatcast.SignInApplicationJSON{Email: chatcast.NewOptString(email), Password: chatcast.NewOptString(password)}, chatcast.SignInParams{})
	if err != nil {
		return err
	}
	pair, ok := answer.(*chatcast.TokenPairResponse)
	if !ok {
		return fmt.Errorf("signing in: %+v", answer)
	}
	refused, err := c.ListChats(ctx, chatcast.ListChatsParams{})
	if err != nil {
		return err
	}
	forbidden, ok := refused.(*chatcast.ForbiddenResponse)
	if !ok || forbidden.Error.Message == "" {
		return fmt.Errorf("listing the chats with no token of the server's: %+v", refused)
	}
	if c, err = chatcast.NewClient(server, token(pair.Data.AccessToken)); err != nil {
		return err
	}
	listed, err := c.ListChats(ctx, chatcast.ListChatsParams{})
	if err != nil {
		return err
	}
	chats, ok := listed.(*chatcast.ChatsResponse)
	if !ok || len(chats.Data.Items) == 0 {
		return fmt.Errorf("listing the chats: %+v", listed)
	}
	chat := chats.Data.Items[0]
	sent, err := c.SendText(ctx, &chatcast.TextInput{Text: text}, chatcast.SendTextParams{
		LicenseId: chat.LicenseId, MessengerType: chat.MessengerType, ChatId: chat.ID,
	})
	if err != nil {
		return err
	}
	if _, ok := sent.(*chatcast.SentResponse); !ok {
		return fmt.Errorf("sending: %+v", sent)
	}
	history, err := c.ListMessages(ctx, chatcast.ListMessagesParams{
		LicenseId: chat.LicenseId, MessengerType: chat.MessengerType, ChatId: chat.ID,
	})
	if err != nil {
		return err
	}
	messages, ok := history.(*chatcast.MessagesResponse)
	if !ok {
		return fmt.Errorf("listing the messages: %+v", history)
	}
	for _, m := range messages.Data.Items {
		fmt.Printf("%s: %s\n", m.Side, m.Message.Text)
	}
	fmt.Println(forbidden.Error.Code)
	return nil
}
