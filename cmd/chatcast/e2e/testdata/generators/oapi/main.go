// Command oapi uses the client that oapi-codegen made of openapi-3.0.json: it signs in,
// lists the chats, sends a text to the first one, and prints what the chat then says.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"example.com/clients/oapi/chatcast"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server, email, password, text string) error {
	c, err := chatcast.NewClientWithResponses(server)
	if err != nil {
		return err
	}
	pair, err := c.SignInWithResponse(ctx, &chatcast.SignInParams{}, chatcast.SignIn{Email: &email, Password: &password})
	if err != nil {
		return err
	}
	if pair.JSON200 == nil {
		return fmt.Errorf("signing in: %s %s", pair.Status(), pair.Body)
	}
	token := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+pair.JSON200.Data.AccessToken)
		return nil
	}
	chats, err := c.ListChatsWithResponse(ctx, &chatcast.ListChatsParams{}, token)
	if err != nil {
		return err
	}
	if chats.JSON200 == nil || len(chats.JSON200.Data.Items) == 0 {
		return fmt.Errorf("listing the chats: %s %s", chats.Status(), chats.Body)
	}
	chat := chats.JSON200.Data.Items[0]
	sent, err := c.SendTextWithResponse(ctx, chat.LicenseId, chat.MessengerType, chat.Id, &chatcast.SendTextParams{}, chatcast.TextInput{Text: text}, token)
	if err != nil {
		return err
	}
	if sent.JSON200 == nil {
		return fmt.Errorf("sending: %s %s", sent.Status(), sent.Body)
	}
	messages, err := c.ListMessagesWithResponse(ctx, chat.LicenseId, chat.MessengerType, chat.Id, &chatcast.ListMessagesParams{}, token)
	if err != nil {
		return err
	}
	if messages.JSON200 == nil {
		return fmt.Errorf("listing the messages: %s %s", messages.Status(), messages.Body)
	}
	for _, m := range messages.JSON200.Data.Items {
		fmt.Printf("%s: %s\n", m.Side, m.Message.Text)
	}
	refused, err := c.ListChatsWithResponse(ctx, &chatcast.ListChatsParams{})
	if err != nil {
		return err
	}
	if refused.JSON401 == nil || refused.JSON401.Error.Message == "" {
		return fmt.Errorf("listing the chats without a token: %s %s", refused.Status(), refused.Body)
	}
	fmt.Println(refused.JSON401.Error.Code)
	return nil
}
