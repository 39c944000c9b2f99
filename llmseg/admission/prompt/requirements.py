"""The 36 requirements on a generated pipeline, as data: what the prompt asks for and what the check looks at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """One thing that a pipeline has to do or to have.

    Attributes:
        number: 1 to 36, as in the text of the prompt.
        id: Its short name.
        section: The heading under which the prompt has it.
        text: What is asked, in sentences. In :data:`REQUIREMENTS` words in braces stand for what depends on the data
            and the framework; :attr:`llmseg.admission.prompt.Prompt.requirements` has them filled in.

    Example:
        >>> REQUIREMENTS[0].id, REQUIREMENTS[35].number
        ('four-files', 36)
    """

    number: int
    id: str
    section: str
    text: str


_TEXTS = {
    "Deliverable": {
        "four-files": "Deliver exactly four Python files that lie in one folder: dataset.py, model.py, train.py and "
        "main.py. No other source file is needed.",
        "quiet-imports": "Importing dataset, model or train must not start anything, print anything or write a file. "
        'main.py acts only under `if __name__ == "__main__":`.',
        "framework": "Use {framework}, the standard library and published packages only.",
        "runs-unchanged": "The program runs from start to end and exits with status 0. Nothing has to be edited except "
        "the paths and the pattern of the file names.",
        "one-place-for-settings": "Set all paths, all hyper-parameters and the save folder in one place, in the main "
        "block of main.py. A comment explains each.",
    },
    "Input": {
        "pairs-by-name": "Read images from one folder and masks from another. Names of images are {image_names}, names "
        "of masks are {mask_names}; the star stands for the same text in both. Pair by name, never by position in a "
        "listing. Never take a mask for an image.",
        "only-images-read": "Read only files that have the ending of these patterns. Ignore all others, also hidden "
        "files.",
        "dataset-class": "Write a dataset class derived from {dataset_class} that yields image and mask.",
        "tensor-shapes": "Images are given to the network with {channel_words}, masks with one channel that holds only "
        "0 and 1, also after resizing. Resize all images and masks to the same height and width{size_words}, whatever "
        "the sizes of the files.",
        "no-augmentation": "Do not augment: reading the same file twice gives the same values.",
    },
    "Model": {
        "unet-class": "Write a class for a U-Net: an encoder that reduces the size, a decoder that restores it, and "
        "skip connections that join them.",
        "one-output-channel": "The output has one channel, and the height and width of the input.",
        "small-foreground": "The structure may fill one percent of an image. Choose a loss for this: with an overlap "
        "term such as Dice, or with weights for the foreground.",
        "output-fits-loss": "Apply the sigmoid once, in the network or in the loss. Read the output in the same way in "
        "training, in the Dice score and in pictures.",
    },
    "Splits and loaders": {
        "split": "Shuffle the cases and split them into 80 percent training, 10 percent validation and 10 percent test "
        "with train_test_split of scikit-learn.",
        "no-leakage": "No case is in two parts. Nothing looks at the test part before the test: not the choice of "
        "weights, not early stopping, not a threshold.",
        "copied-parts": "Copy images and masks of each part into folders of their own in the save folder.",
        "printed-counts": "Print the number of images in the training, validation and test part.",
        "three-loaders": "Make three {loader}s, for training, validation and test, and print the length of each.",
        "own-settings": "Choose batch size, learning rate, number of epochs,{size_choice} loss and optimizer yourself, "
        "as you think best.",
    },
    "Training and validation": {
        "separate-functions": "Write separate functions for training, for validation and for testing.",
        "losses-every-epoch": "Compute the mean training loss and the mean validation loss in every epoch.",
        "training-loss-file": "Write train_losses.xlsx into the save folder: the first row has the epochs 1, 2, 3, and "
        "so on, the second row has the mean training loss of each. No header and no index column.",
        "validation-loss-file": "Write val_losses.xlsx in the same way with the validation losses.",
        "validation-dice-file": "After the last epoch, write validation_dice_scores.xlsx: a row per epoch, a column "
        "per validation batch, and in each cell the mean Dice of that batch, between 0 and 1. No header with numbers "
        "and no index column.",
        "progress-bars": "Show progress bars with tqdm in training, validation and test, whose text names epoch and "
        "phase.",
        "weight-files": "At the end, save {weights}.",
        "training-time": "Measure the time of the whole training and print it at the end.",
        "loss-curves": "After training, save a PNG file with the curves of both losses over the epochs in the same "
        "axes.",
    },
    "Testing": {
        "test-dice-file": "After testing, write test_dice_scores.xlsx: one row with a column per test batch, laid out "
        "like validation_dice_scores.xlsx.",
        "predictions-picture": "Save a PNG file with five random cases of the test part in five rows and three "
        "columns: input image, true mask, predicted mask. Head the columns, and put the file's name above each image "
        "and mask.",
        "right-predictions": "The predictions are right: the Dice that is written down is the Dice of the masks that "
        "are predicted, and it is higher than that of an empty and of a full mask.",
    },
    "Main": {
        "model-summary": "Print a summary of the model with {summary}.",
        "parameter-count": "Print the number of learnable parameters.",
        "no-windows": "Only save pictures. Never open a window.",
        "usable-functions": "All functions can be used from other programs: they take what they need as arguments and "
        "use no global variables.",
    },
}

REQUIREMENTS: tuple[Requirement, ...] = tuple(
    Requirement(number, id, section, text)
    for number, (section, id, text) in enumerate(
        ((section, id, text) for section, texts in _TEXTS.items() for id, text in texts.items()), start=1
    )
)
"""What a script has to do, in the order of the prompt."""
