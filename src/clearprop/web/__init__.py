"""What all servers share: a thread with an event loop, and who may ask for anything."""
