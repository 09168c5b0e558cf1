// Command add raises the counter of the cluster in demo by one, and prints it.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"tagma/client"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "demo/cluster.toml", "demo/client.key")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	r, err := c.Do(ctx, []byte("add"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", r.Output())
}
