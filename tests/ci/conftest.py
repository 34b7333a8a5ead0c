from server import gate_server, toy_registry

__all__ = ["gate_server", "toy_registry"]
