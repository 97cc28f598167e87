package node

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"
)

// serveProfiles serves Go's runtime profiles, for developers; nothing listens unless an address was given.
func (n *Node) serveProfiles() error {
	if n.cfg.ProfileAddress == "" {
		return nil
	}
	l, err := n.cfg.Host.Listen("tcp", n.cfg.ProfileAddress)
	if err != nil {
		return fmt.Errorf("listening for profiles on %s: %w", n.cfg.ProfileAddress, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	n.profiles = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	n.serving.Go(func() { _ = n.profiles.Serve(l) })
	return nil
}
