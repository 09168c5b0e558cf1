package network

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	ma "github.com/multiformats/go-multiaddr"
)

// listen binds every address. If one of them is taken, that is an error even if others are free.
func (t *transport) listen(ctx context.Context, texts []string) error {
	addrs, err := parseAddrs(texts)
	if err != nil {
		return err
	}
	if len(addrs) != len(texts) {
		return fmt.Errorf("listen addresses %q: %w", texts, errNoAddress)
	}
	for _, addr := range addrs {
		if _, name := family(addr); name {
			err = t.listenByName(ctx, addr)
		} else {
			err = t.bind(addr)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listenByName binds those addresses of a DNS name that belong to this machine. The name may have others, of the other
// IP version or of a machine in front of this one.
func (t *transport) listenByName(ctx context.Context, addr ma.Multiaddr) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	resolved, err := t.resolve(ctx, []ma.Multiaddr{addr})
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	bound := 0
	var elsewhere error
	for _, ip := range resolved {
		err := t.bind(ip)
		switch {
		case err == nil:
			bound++
		case errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT):
			elsewhere = err
		default:
			return err
		}
	}
	if bound == 0 {
		return fmt.Errorf("%s is no address of this machine; name one to listen on, such as /ip4/0.0.0.0/tcp/7000: %w",
			addr, elsewhere)
	}
	return nil
}

func (t *transport) bind(addr ma.Multiaddr) error {
	err := t.AddListenAddr(addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: the port is taken; stop the other process or choose another port: %w",
			addr, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: this machine has no such address; name one that it has, such as /ip4/0.0.0.0/tcp/7000: %w",
			addr, syscall.EADDRNOTAVAIL)
	case err != nil:
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	return nil
}
