// goipam measures go-ipam: one case a run, one line of JSON out.
//
// It loads a prefix whose addresses, or children, are taken as the first line
// of its input says, prints "ready", and lets clients acquire and release for
// some time after a second line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	ipam "github.com/metal-stack/go-ipam"
)

// grace is how long what was begun in time may take longer. Clients that
// disturb each other wait for minutes.
const grace = 5 * time.Second

// outcome is what is printed.
type outcome struct {
	Pairs   int     `json:"pairs"`
	Failed  int     `json:"failed"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
}

// document is a prefix as go-ipam dumps and loads it.
type document struct {
	Cidr                   string
	ParentCidr             string
	Namespace              string
	AvailableChildPrefixes map[string]bool
	ChildPrefixLength      int
	IsParent               bool
	IPs                    map[string]bool
	Version                int64
}

func main() {
	host := flag.String("host", "", "of PostgreSQL; without it, in memory")
	port := flag.String("port", "", "of PostgreSQL")
	user := flag.String("user", "", "of PostgreSQL")
	database := flag.String("database", "", "of PostgreSQL")
	kind := flag.String("case", "ip", "ip, child or prefix")
	parent := flag.String("parent", "10.0.0.0/16", "to acquire from")
	length := flag.Int("length", 0, "of child prefixes")
	clients := flag.Int("clients", 1, "at the same time")
	seconds := flag.Float64("seconds", 3, "to measure")
	flag.Parse()
	ctx := context.Background()

	storage := ipam.NewMemory(ctx)
	if *host != "" {
		var err error
		storage, err = ipam.NewPostgresStorage(*host, *port, *user, os.Getenv("PGPASSWORD"), *database, ipam.SSLModeDisable)
		check(err)
	}
	check(storage.DeleteAllPrefixes(ctx, "root"))
	ipamer := ipam.NewWithStorage(storage)
	input := bufio.NewReader(os.Stdin)
	load(ctx, ipamer, input, *kind, *parent)
	fmt.Println("ready")
	_, err := input.ReadString('\n')
	check(err)

	pair := func(client, number int) (time.Duration, error) {
		begun := time.Now()
		switch *kind {
		case "ip":
			ip, err := ipamer.AcquireIP(ctx, *parent)
			took := time.Since(begun)
			if err != nil {
				return took, err
			}
			return took, ipamer.ReleaseIPFromPrefix(ctx, *parent, ip.IP.String())
		case "child":
			child, err := ipamer.AcquireChildPrefix(ctx, *parent, uint8(*length))
			took := time.Since(begun)
			if err != nil {
				return took, err
			}
			return took, ipamer.ReleaseChildPrefix(ctx, child)
		default:
			cidr := fmt.Sprintf("172.%d.%d.0/24", 16+client, number%256)
			_, err := ipamer.NewPrefix(ctx, cidr)
			took := time.Since(begun)
			if err != nil {
				return took, err
			}
			_, err = ipamer.DeletePrefix(ctx, cidr)
			return took, err
		}
	}
	var group sync.WaitGroup
	var mutex sync.Mutex
	var all []time.Duration
	failed := 0
	begun := time.Now()
	end := begun.Add(time.Duration(*seconds * float64(time.Second)))
	for client := range *clients {
		group.Go(func() {
			for number := 0; time.Now().Before(end); number++ {
				took, err := pair(client, number)
				mutex.Lock()
				if err == nil {
					all = append(all, took)
				} else {
					failed++
				}
				mutex.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Until(end) + grace):
	}
	mutex.Lock()
	defer mutex.Unlock()
	result := outcome{Pairs: len(all), Failed: failed, Seconds: time.Since(begun).Seconds()}
	if len(all) > 0 {
		slices.Sort(all)
		result.P50 = float64(all[len(all)/2].Nanoseconds()) / 1000
		result.P99 = float64(all[len(all)*99/100].Nanoseconds()) / 1000
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

// load makes the prefix and takes out of it what the input names.
func load(ctx context.Context, ipamer ipam.Ipamer, input *bufio.Reader, kind, parent string) {
	line, err := input.ReadBytes('\n')
	check(err)
	var taken []string
	check(json.Unmarshal(line, &taken))
	if kind == "prefix" {
		for _, cidr := range taken {
			_, err := ipamer.NewPrefix(ctx, cidr)
			check(err)
		}
		return
	}
	made := document{
		Cidr:                   parent,
		AvailableChildPrefixes: map[string]bool{},
		IPs:                    map[string]bool{},
	}
	documents := []document{}
	for _, name := range taken {
		if kind == "ip" {
			made.IPs[name] = true
			continue
		}
		made.IsParent = true
		made.AvailableChildPrefixes[name] = false
		documents = append(documents, document{
			Cidr:                   name,
			ParentCidr:             parent,
			AvailableChildPrefixes: map[string]bool{},
			IPs:                    map[string]bool{},
		})
	}
	dump, err := json.Marshal(append(documents, made))
	check(err)
	check(ipamer.Load(ctx, string(dump)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
