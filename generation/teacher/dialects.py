"""The Batch API as OpenAI (also Azure, Groq, vLLM's offline runner) and Together spell it.

OpenAI: purpose `batch`, 50,000 requests and 200 MB a file, a list in `data`, lower-case states;
`completed` may come with an error file alone. Together: purpose `batch-api`, 100 MB, the new batch
inside `job`, a bare list, upper-case states.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

_OVER = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class State:
    """Tells how far a batch has come; the files are there once it is over, either, both or none."""

    status: str
    output_file: str | None
    error_file: str | None
    error: str | None

    @property
    def over(self) -> bool:
        """Tell whether it will not change any more."""
        return self.status in _OVER

    @property
    def failed_whole(self) -> bool:
        """Tell whether the provider refused the batch as such."""
        return self.status == "failed"


class Dialect:
    """OpenAI's own."""

    list_params: ClassVar[dict[str, Any]] = {"limit": 100}

    def make_line(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """A line of the input file."""
        return {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}

    def make_upload(self, name: str) -> tuple[str, dict[str, str]]:
        """(path, form fields) of an upload."""
        return "/files", {"purpose": "batch"}

    def make_batch(self, file: str, window: str, name: str) -> dict[str, Any]:
        """The body that makes a batch."""
        return {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": window,
            "metadata": {"kakugo": name},
        }

    def read_created(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The batch in the answer to its making."""
        return answer

    def read_listed(self, answer: Any) -> list[dict[str, Any]]:
        """The batches in the answer to a list."""
        found = answer.get("data") if isinstance(answer, dict) else answer
        return [entry for entry in found or [] if isinstance(entry, dict)]

    def read_state(self, answer: dict[str, Any]) -> State:
        """The state of a batch."""
        errors = answer.get("errors")
        details = errors.get("data") if isinstance(errors, dict) else None
        said = [str(entry.get("message")) for entry in details or [] if isinstance(entry, dict)]
        return State(
            status=str(answer.get("status")).lower(),
            output_file=answer.get("output_file_id"),
            error_file=answer.get("error_file_id"),
            error="; ".join(said) or answer.get("error"),
        )


class Together(Dialect):
    """Together's."""

    list_params: ClassVar[dict[str, Any]] = {}

    def make_line(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """A line of the input file."""
        return {"custom_id": key, "body": body}

    def make_upload(self, name: str) -> tuple[str, dict[str, str]]:
        """(path, form fields) of an upload."""
        return "/files/upload", {"purpose": "batch-api", "file_name": name, "file_type": "jsonl"}

    def make_batch(self, file: str, window: str, name: str) -> dict[str, Any]:
        """The body that makes a batch."""
        return {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": window,
        }

    def read_created(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The batch in the answer to its making."""
        job = answer.get("job")
        return job if isinstance(job, dict) else answer


DIALECTS: dict[str, Dialect] = {"openai": Dialect(), "together": Together()}
