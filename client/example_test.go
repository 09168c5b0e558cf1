package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"tagma/client"
	"tagma/statemachine/kv"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "cluster.toml", "client.key")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }() // by now every call was answered

	store := kv.NewClient(c)
	if _, err := store.Put(ctx, "greeting", []byte("hello")); err != nil {
		log.Fatal(err)
	}
	value, err := store.Get(ctx, "greeting")
	switch {
	case errors.Is(err, kv.ErrNotFound):
		fmt.Println("nobody greets")
	case errors.Is(err, client.ErrUnknown):
		fmt.Println("no answer in time")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Printf("%s\n", value)
	}
}

// One goroutine submits many requests before it waits for their results.
func ExampleClient_Submit() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "cluster.toml", "client.key")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }() // by now every call was answered

	var calls []*client.Call
	for i := range 100 {
		call, err := c.Submit(ctx, kv.Put(fmt.Appendf(nil, "key%d", i), []byte("value")))
		if err != nil {
			log.Fatal(err)
		}
		calls = append(calls, call)
	}
	for _, call := range calls {
		result, err := call.Wait(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := kv.DecodePut(result.Output()); err != nil {
			log.Fatal(err)
		}
	}
}
